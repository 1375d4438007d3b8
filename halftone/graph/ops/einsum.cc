#include <algorithm>
#include <cctype>
#include <map>
#include <string>

#include "halftone/graph/ops/rules.h"

namespace halftone::rules {
namespace {

constexpr char kEllipsis = '.';  // stands for "..." in a term

// "ij,...k->i" as its terms: without blanks, with one kEllipsis for three dots.
struct Equation {
  std::vector<std::string> inputs;
  std::optional<std::string> output;  // nullopt: implicit
};

std::string parse_term(const InferContext& ctx, std::string_view text) {
  std::string term;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ') continue;
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      term += c;
    } else if (text.substr(i, 3) == "..." && term.find(kEllipsis) == std::string::npos) {
      term += kEllipsis;
      i += 2;
    } else {
      ctx.refuse("an equation consists of letters, '...', ',' and '->', found '{}' in '{}'", c, text);
    }
  }
  return term;
}

Equation parse_equation(const InferContext& ctx) {
  const std::string text = ctx.node().string_or("equation", "");
  Equation equation;
  const size_t arrow = text.find("->");
  std::string_view left = std::string_view(text).substr(0, arrow);
  while (true) {
    const size_t comma = left.find(',');
    equation.inputs.push_back(parse_term(ctx, left.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    left.remove_prefix(comma + 1);
  }
  if (arrow != std::string::npos) equation.output = parse_term(ctx, std::string_view(text).substr(arrow + 2));
  if (equation.inputs.size() != ctx.input_count()) {
    ctx.refuse("equation '{}' has {} terms for {} inputs", text, equation.inputs.size(), ctx.input_count());
  }
  return equation;
}

// numpy.einsum: without '->' the result has the ellipsis and then, in alphabetical order, the letters found once.
std::string implicit_output(const Equation& equation) {
  std::map<char, int> uses;
  for (const std::string& term : equation.inputs) {
    for (char c : term) ++uses[c];
  }
  std::string output;
  if (uses.erase(kEllipsis) != 0) output += kEllipsis;
  for (const auto& [letter, count] : uses) {
    if (count == 1) output += letter;
  }
  return output;
}

}  // namespace

void einsum(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  const Equation equation = parse_equation(ctx);
  std::map<char, Dim> extents;
  Dims ellipsis;
  bool ranked = true;
  for (size_t i = 0; i < equation.inputs.size(); ++i) {
    require_same_dtype(ctx, 0, i);
    const std::string& term = equation.inputs[i];
    const bool has_ellipsis = term.find(kEllipsis) != std::string::npos;
    const auto letters = static_cast<int64_t>(term.size()) - (has_ellipsis ? 1 : 0);
    require_rank(ctx, i, letters, has_ellipsis ? INT64_MAX : letters);
    const Dims* x = dims_of(ctx, i);
    if (x == nullptr) {
      ranked = ranked && !has_ellipsis;
      for (char c : term) extents.try_emplace(c);
      continue;
    }
    auto dim = x->begin();
    for (char c : term) {
      if (c == kEllipsis) {
        const auto last = dim + (static_cast<int64_t>(x->size()) - letters);
        ellipsis = broadcast(ctx, ellipsis, Dims(dim, last));
        dim = last;
        continue;
      }
      const auto [known, is_new] = extents.try_emplace(c, *dim);
      // A letter's extents may also broadcast.
      if (!is_new) known->second = broadcast(ctx, {known->second}, {*dim}).front();
      ++dim;
    }
  }
  if (!ranked) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  Dims y;
  for (char c : equation.output ? *equation.output : implicit_output(equation)) {
    if (c == kEllipsis) {
      y.insert(y.end(), ellipsis.begin(), ellipsis.end());
    } else if (const auto known = extents.find(c); known != extents.end()) {
      y.push_back(known->second);
    } else {
      ctx.refuse("the result's index '{}' must occur in a term", c);
    }
  }
  ctx.set_output(0, typed(dtype, std::move(y)));
}

}  // namespace halftone::rules
