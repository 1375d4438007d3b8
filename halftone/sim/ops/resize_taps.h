// Resampling one axis: which input elements make an output element, with which weights. All formulas are those of
// ONNX's Resize, https://onnx.ai/onnx/operators/onnx__Resize.html. Coordinates are computed in float32, as runtimes do:
// a scale of 0.6, which is no float, must not move an element off the integer where it belongs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "halftone/sim/interpreter.h"

namespace halftone::sim::ops {

enum class Interpolation { Nearest, Linear, Cubic };
enum class CoordinateMode {
  HalfPixel,
  HalfPixelSymmetric,
  PytorchHalfPixel,
  AlignCorners,
  Asymmetric,
  TfHalfPixelForNn,
  TfCropAndResize
};
enum class NearestMode {
  RoundPreferFloor,
  RoundPreferCeil,
  Floor,
  Ceil,
  CeilWhenShrinking  // Resize of opset 10 and older, which has no attribute for it: floor when growing
};

// What holds for all axes.
struct ResizeMode {
  Interpolation interpolation = Interpolation::Nearest;
  CoordinateMode coordinates = CoordinateMode::Asymmetric;
  NearestMode nearest = NearestMode::Floor;
  float cubic_coefficient = -0.75f;
  bool exclude_outside = false;  // no weight for what lies beyond the edges, instead of repeating the edge
  bool antialias = false;        // when shrinking, the filter is as wide as an output element
};

struct ResizeAxis {
  int64_t in = 1;
  int64_t out = 1;
  float scale = 1;                   // as the node says; in * scale need not be the integer `out`
  float roi_begin = 0, roi_end = 1;  // TfCropAndResize: the part of the axis, 1 its whole length
};

// Reads the words of the attributes. Errors: Error{InvalidModel} for unknown ones.
Interpolation interpolation_of(const OpCall& call, const std::string& word);
CoordinateMode coordinate_mode_of(const OpCall& call, const std::string& word);
NearestMode nearest_mode_of(const OpCall& call, const std::string& word);

// Where output element `o` lies on the input axis.
float source_coordinate(const ResizeAxis& axis, CoordinateMode mode, int64_t o);

// The input element that output element `o` copies, inside the axis.
int64_t nearest_element(const ResizeAxis& axis, const ResizeMode& mode, int64_t o);

struct Tap {
  int64_t index;
  double weight;
};
// The input elements that output element `o` is a weighted sum of, for linear and cubic interpolation.
std::vector<Tap> taps_of(const ResizeAxis& axis, const ResizeMode& mode, int64_t o);

}  // namespace halftone::sim::ops
