#include "halftone/quant/encodings.h"

namespace halftone {

const Encoding* find_encoding(const QuantizedModel& model, ValueId id) {
  if (id == ValueId::None) return nullptr;
  const auto found = model.encodings.find(model.graph.value(id).name);
  return found == model.encodings.end() ? nullptr : &found->second;
}

}  // namespace halftone
