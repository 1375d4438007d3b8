#include "halftone/graph/op_table.h"

#include <algorithm>
#include <array>

#include "halftone/graph/ops/rules.h"

namespace halftone {
namespace {

constexpr std::array kRows = {
#define HT_OP(name, min_inputs, max_inputs, min_outputs, max_outputs, rule) \
  OpRow{#name, min_inputs, max_inputs, min_outputs, max_outputs, rules::rule},
#include "halftone/graph/ops.def"
#undef HT_OP
};

constexpr bool by_name(const OpRow& a, const OpRow& b) { return a.name < b.name; }
static_assert(std::is_sorted(kRows.begin(), kRows.end(), by_name), "ops.def must be sorted for the binary search");

}  // namespace

const OpRow* find_op(const Node& node) {
  if (!node.domain.empty()) return nullptr;
  const auto* row = std::lower_bound(kRows.begin(), kRows.end(), OpRow{node.op_type, 0, 0, 0, 0, nullptr}, by_name);
  return row != kRows.end() && row->name == node.op_type ? row : nullptr;
}

std::span<const OpRow> all_ops() { return kRows; }

void check_operands(const Graph& graph, const Node& node, const OpRow& row) {
  const auto check = [&](std::string_view what, size_t found, int fewest, int most) {
    const bool enough = found >= static_cast<size_t>(fewest);
    if (enough && (most < 0 || found <= static_cast<size_t>(most))) return;
    const std::string required = most < 0         ? fmt::format("at least {}", fewest)
                                 : fewest == most ? fmt::format("{}", fewest)
                                                  : fmt::format("{} to {}", fewest, most);
    fail(ErrorCode::InvalidModel, describe(graph, node), "{} requires {} {}, found {}", row.name, required, what,
         found);
  };
  check("inputs", node.inputs.size(), row.min_inputs, row.max_inputs);
  check("outputs", node.outputs.size(), row.min_outputs, row.max_outputs);
  for (size_t i = 0; i < static_cast<size_t>(row.min_inputs); ++i) {
    if (node.inputs[i] != ValueId::None) continue;
    fail(ErrorCode::InvalidModel, describe(graph, node), "{} requires its input {}, which is left out", row.name, i);
  }
}

}  // namespace halftone
