#include "halftone/sim/ops/einsum_equation.h"

#include <algorithm>
#include <cctype>
#include <map>

namespace halftone::sim::ops {
namespace {

// Letters are themselves; the dimensions of an ellipsis are numbered from the last, beyond all letters.
using Label = int;
constexpr Label kEllipsis = 256;

struct Term {
  std::vector<Label> labels;
  int ellipsis_at = -1;  // position in `labels` where an ellipsis stands
};

Term read_term(const OpCall& call, const std::string& text) {
  Term term;
  for (size_t i = 0; i < text.size(); ++i) {
    if (std::isalpha(static_cast<unsigned char>(text[i])) != 0) {
      term.labels.push_back(text[i]);
    } else if (text.compare(i, 3, "...") == 0 && term.ellipsis_at < 0) {
      term.ellipsis_at = static_cast<int>(term.labels.size());
      i += 2;
    } else {
      call.refuse("an equation's terms are letters and at most one ellipsis each, found '{}'", text);
    }
  }
  return term;
}

// The ellipsis written out as `rank` labels.
std::vector<Label> expand(const Term& term, size_t rank) {
  std::vector<Label> labels = term.labels;
  if (term.ellipsis_at < 0) return labels;
  std::vector<Label> dots;
  for (size_t i = rank; i-- > 0;) dots.push_back(kEllipsis + static_cast<Label>(i));
  labels.insert(labels.begin() + term.ellipsis_at, dots.begin(), dots.end());
  return labels;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// Without "->": the ellipsis, then the labels that occur once, sorted.
std::vector<Label> implicit_output(const std::vector<std::vector<Label>>& operands, size_t ellipsis_rank) {
  std::map<Label, int> occurrences;
  for (const auto& labels : operands) {
    for (Label label : labels) ++occurrences[label];
  }
  std::vector<Label> output = expand(Term{{}, 0}, ellipsis_rank);
  for (const auto& [label, count] : occurrences) {
    if (label < kEllipsis && count == 1) output.push_back(label);
  }
  return output;
}

}  // namespace

EinsumLoops read_einsum(const OpCall& call, const std::string& equation, const std::vector<Shape>& shapes) {
  std::string text = equation;
  text.erase(std::remove_if(text.begin(), text.end(), [](unsigned char c) { return std::isspace(c) != 0; }),
             text.end());
  const size_t arrow = text.find("->");
  const std::vector<std::string> texts = split(text.substr(0, arrow), ',');
  if (texts.size() != shapes.size()) {
    call.refuse("equation '{}' has {} terms for {} operands", equation, texts.size(), shapes.size());
  }

  std::vector<std::vector<Label>> operands;
  size_t ellipsis_rank = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    const Term term = read_term(call, texts[i]);
    const size_t rank = shapes[i].size();
    if (term.labels.size() > rank || (term.ellipsis_at < 0 && term.labels.size() != rank)) {
      call.refuse("term '{}' does not fit an operand of shape {}", texts[i], to_string(shapes[i]));
    }
    operands.push_back(expand(term, rank - term.labels.size()));
    if (term.ellipsis_at >= 0) ellipsis_rank = std::max(ellipsis_rank, rank - term.labels.size());
  }

  std::vector<Label> loops = arrow == std::string::npos
                                 ? implicit_output(operands, ellipsis_rank)
                                 : expand(read_term(call, text.substr(arrow + 2)), ellipsis_rank);
  EinsumLoops result;
  result.output_rank = loops.size();
  std::map<Label, size_t> loop_of;
  for (size_t i = 0; i < loops.size(); ++i) {
    if (!loop_of.emplace(loops[i], i).second) call.refuse("equation '{}' names an output label twice", equation);
  }
  for (const auto& labels : operands) {
    for (Label label : labels) {
      if (loop_of.emplace(label, loops.size()).second) loops.push_back(label);
    }
  }

  result.extents.assign(loops.size(), -1);
  for (size_t i = 0; i < operands.size(); ++i) {
    const std::vector<int64_t> strides = contiguous_strides(shapes[i]);
    result.strides.emplace_back(loops.size(), 0);
    for (size_t d = 0; d < operands[i].size(); ++d) {
      const size_t loop = loop_of.at(operands[i][d]);
      const int64_t extent = shapes[i][d];
      int64_t& so_far = result.extents[loop];
      // A dimension of 1 is broadcast.
      if (so_far == -1 || so_far == 1) {
        so_far = extent;
      } else if (extent != 1 && extent != so_far) {
        call.refuse("equation '{}' needs equal dimensions, found {} and {}", equation, so_far, extent);
      }
      if (extent != 1) result.strides[i][loop] += strides[d];
    }
  }
  for (int64_t extent : result.extents) {
    if (extent < 0) call.refuse("equation '{}' names an output label that no operand has", equation);
  }
  return result;
}

}  // namespace halftone::sim::ops
