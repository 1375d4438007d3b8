// How far a layer's samples are to be believed.
#pragma once

#include <span>
#include <vector>

#include "halftone/ptq/rounding/channel_grids.h"
#include "halftone/ptq/rounding/layer_sums.h"

namespace halftone::ptq {

// The sums of two parts of a layer's rows.
struct SplitSums {
  RowRange fit, check;
  std::vector<std::vector<double>> fit_grams, check_grams;        // LayerSums::grams
  std::vector<std::vector<double>> fit_products, check_products;  // LayerSums::products

  // The first three quarters and the last one, which are other samples. Fewer than kLeastRows have no check.
  SplitSums(const LayerSums& sums, const std::vector<float>& targets);
  // Over all rows; use up the parts.
  std::vector<std::vector<double>> grams() &&;
  std::vector<std::vector<double>> products() const;

  static constexpr int64_t kLeastRows = 8;
};

// The damping (Quadratic) with which weights that were aimed and rounded (GPTQ) by the one part of the rows make the
// smallest squared error on the other part, for all channels together; 1 where there is no other part.
//
// A layer of many inputs can be made to give any targets on a few samples, by weights that are wrong everywhere else:
// of mobilenet_v2 with 300 images the classifier's error on other images is least with 30, that of early layers with
// 0.03.
// Cost: for each damping tried, features^3 / 6 by group and 3 features^2 by channel.
double choose_damping(const LayerShape& shape, const SplitSums& sums, std::vector<ChannelWeights> channels,
                      ThreadTeam& team);

}  // namespace halftone::ptq
