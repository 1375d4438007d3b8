// Recipes say which grid each tensor gets; docs/recipes.md describes the file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/quant/encodings.h"
#include "halftone/quant/quant_params.h"
#include "halftone/quant/step_request.h"

namespace halftone {

// Which tensors a rule speaks of: weights are the constants that a layer multiplies with, activations everything that
// flows.
enum class Role { Weights, Activations };

// What a rule is held against: a layer and one of its tensors.
struct Subject {
  std::vector<std::string_view> names;  // of the node and of the tensor; a pattern has to match one
  std::string_view op;                  // ONNX's name; "Input" for the network's inputs
};

// Layers that can be spoken of without their names.
enum class Place { Anywhere, First, Last };

struct RecipeRule {
  std::string name = "*";         // pattern: * stands for any characters, ? for one
  std::string op = "*";           // the same for the operator
  std::optional<Role> role;       // nullopt: the layer as a whole, which can only be kept in float
  std::optional<QuantSpec> spec;  // nullopt: keep in float, or `dynamic`
  // Without a role: the layer is a product that finds the ranges of its activations at run time.
  std::optional<DynamicRange> dynamic = {};
  // In the place of `name`, the first or last product and what it reads; see named_rules.h.
  Place place = Place::Anywhere;

  bool keeps_float() const { return !spec && !dynamic; }

  bool matches(const Subject& subject) const;
};

struct Recipe {
  QuantSpec weights;
  QuantSpec activations;
  std::optional<QuantSpec> sums;   // operands and results of an Add of activations; nullopt: see spec_of_sums
  std::vector<RecipeRule> rules;   // the first that matches decides
  std::vector<StepRequest> steps;  // what is done beside choosing grids, first to last (room ptq)

  // int8 weights, symmetric without -128, a scale per output channel, from their extremes; uint8 activations, from
  // their 99.99th percentile.
  Recipe();

  // Reads a recipe; what the file leaves out stays as in `defaults`. Errors: Error{InvalidArgument} at `where` for
  // text that is no JSON, unknown words (with the nearest known one), and values that can't be.
  static Recipe from_json(const std::string& text, const std::string& where, const Recipe& defaults = {});

  // Sums of activations, by default `activations` with at least 8 bits: a residual network hands one sum on through all
  // of its blocks, and rounding it anew in each of them to few bits costs more than all products together.
  QuantSpec spec_of_sums() const;

  // The rule that decides about a tensor of the given role, or about a layer as a whole (nullopt): its position in
  // `rules`, or nullopt where none matches.
  std::optional<size_t> find_rule(const Subject& subject, std::optional<Role> role) const;
};

// "first" or "last". Errors: Error{InvalidArgument}.
Place parse_place(std::string_view word);

// What constants may have and activations may not: levels, blocks, and ways of rounding that are applied once; what
// activations may have and constants may not: observers that need no data. Errors: Error{InvalidArgument} for a spec
// that its role can't have, and those of check_spec.
void check_spec(const QuantSpec& spec, Role role);

// The command line's words as defaults: types as parse_quant_type reads them, for weights with a grid after a colon
// ("int4:codebook"); a granularity as parse_granularity reads it, and an observer as make_observer reads it. Errors:
// Error{InvalidArgument}.
Recipe make_recipe(std::string_view weights, std::string_view activations, std::string_view granularity,
                   std::string_view observer);

// True when `text` matches `pattern`, in which * stands for any characters and ? for one. Cost: O(|pattern| |text|).
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace halftone
