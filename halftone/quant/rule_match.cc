#include "halftone/quant/rule_match.h"

#include <algorithm>
#include <array>

#include "halftone/base/error.h"
#include "halftone/graph/op_table.h"

namespace halftone {
namespace {

void require_known_op(const JsonSection& section, const std::string& op) {
  if (op.find_first_of("*?") != std::string::npos || op == "Input") return;
  std::vector<std::string_view> names;
  for (const OpRow& row : all_ops()) names.push_back(row.name);
  if (std::find(names.begin(), names.end(), op) != names.end()) return;
  const std::string nearest = nearest_word(op, names);
  section.refuse("'{}' is no operator that Halftone quantizes{}", op,
                 nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest));
}

Role read_role(const JsonSection& match) {
  const std::string role = match.text("role");
  if (role == "weights") return Role::Weights;
  if (role == "activations") return Role::Activations;
  const std::string nearest = nearest_word(role, std::array{"weights", "activations"});
  match.refuse("role must be weights or activations, found '{}'{}", role,
               nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

}  // namespace

RecipeRule read_match(const JsonSection& match) {
  match.allow(std::to_array<std::string_view>({"name", "op", "role", "layer"}));
  RecipeRule rule;
  if (match.has("layer")) {
    if (match.has("name")) match.refuse("\"name\" and \"layer\" don't go together; leave one of them out");
    rule.place = match.parse("layer", parse_place);
  }
  if (match.has("name")) rule.name = match.text("name");
  if (match.has("op")) {
    rule.op = match.text("op");
    require_known_op(match, rule.op);
  }
  if (match.has("role")) rule.role = read_role(match);
  return rule;
}

}  // namespace halftone
