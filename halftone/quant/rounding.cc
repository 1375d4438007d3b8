#include "halftone/quant/rounding.h"

#include <array>

#include <fmt/format.h>

#include "halftone/base/error.h"

namespace halftone {

#define HT_ROUNDING(name, two, summary, source) std::unique_ptr<Rounding> make_##name(std::string_view parameter);
#include "halftone/quant/roundings.def"
#undef HT_ROUNDING

std::span<const RoundingInfo> all_roundings() {
#define HT_ROUNDING(name, two, summary, source) RoundingInfo{#name, two, summary, source},
  static constexpr auto kRoundings = std::to_array<RoundingInfo>({
#include "halftone/quant/roundings.def"
  });
#undef HT_ROUNDING
  return kRoundings;
}

const RoundingInfo& find_rounding(std::string_view description) {
  const std::string_view name = description.substr(0, description.find(':'));
  std::vector<std::string_view> names;
  for (const RoundingInfo& info : all_roundings()) {
    if (info.name == name) return info;
    names.push_back(info.name);
  }
  const std::string nearest = nearest_word(name, names);
  fail(ErrorCode::InvalidArgument, "rounding", "one of {} is required, found '{}'{}", fmt::join(names, ", "), name,
       nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

std::unique_ptr<Rounding> make_rounding(std::string_view description) {
  const std::string_view name = find_rounding(description).name;
  if (description.ends_with(':')) {
    fail(ErrorCode::InvalidArgument, "rounding", "a seed is required after the colon, found '{}'", description);
  }
  const std::string_view parameter = description.size() == name.size() ? "" : description.substr(name.size() + 1);
#define HT_ROUNDING(known, two, summary, source) \
  if (name == #known) return make_##known(parameter);
#include "halftone/quant/roundings.def"
#undef HT_ROUNDING
  HT_CHECK(false, "rounding '{}' has no factory", name);
}

}  // namespace halftone
