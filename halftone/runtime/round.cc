#include "halftone/runtime/round.h"

#include "halftone/runtime/lowering.h"
#include "halftone/runtime/reorder.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {

void round_to_grid(const float* from, float* to, int64_t count, float scale, int32_t zero_point, int64_t q_min,
                   int64_t q_max) {
  // Adding and taking away 1.5 * 2^23 rounds to an integer, half to even, in two instructions that vectorize.
  constexpr float kRounder = 12582912.0f;
  const auto low = static_cast<float>(q_min - zero_point);
  const auto high = static_cast<float>(q_max - zero_point);
  for (int64_t i = 0; i < count; ++i) {
    float steps = from[i] / scale;
    steps = steps == steps ? steps : 0.0f;
    steps = steps < low ? low : steps;
    steps = steps > high ? high : steps;
    to[i] = ((steps + kRounder) - kRounder) * scale;
  }
}

void add_rounding(Lowering& lowering, const std::string& name, const Place& from, const Place& to,
                  const QuantParams& params) {
  if (!params.per_tensor()) {
    HT_CHECK(from.layout == Layout::Plain, "'{}' has several scales and no plain layout", name);
    lowering.add_step({name + " round", 1,
                       [from, to, params](RunMemory& memory) -> Step::Work {
                         return [&memory, from, to, params](int) {
                           const Tensor rounded = fake_quantize(tensor_at(memory, from), params);
                           store(rounded, memory, to);
                         };
                       }},
                      {from.where, to.where});
    return;
  }
  if (bits_of(params.dtype) > 16) return;  // finer than float's own grid
  const Split split = split_range(stored_elements(from.shape, from.layout), lowering.threads(), kEltwiseGrain);
  lowering.add_step({name + " round", split.parts(),
                     [from, to, params, split](RunMemory& memory) -> Step::Work {
                       const auto* source = reinterpret_cast<const float*>(memory.at(from.where));
                       auto* target = reinterpret_cast<float*>(memory.at(to.where));
                       return [=](int part) {
                         const int64_t begin = split.begin(part);
                         round_to_grid(source + begin, target + begin, split.end(part) - begin, params.scale[0],
                                       params.zero_point[0], params.q_min, params.q_max);
                       };
                     }},
                    {from.where, to.where});
}

}  // namespace halftone::runtime
