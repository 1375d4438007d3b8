#include "halftone/ptq/samples.h"

#include "halftone/base/error.h"

namespace halftone::ptq {
namespace {

int64_t bytes_of(const data::Batch& batch) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : batch.inputs) bytes += static_cast<int64_t>(tensor.bytes().size());
  return bytes;
}

}  // namespace

std::vector<data::Batch> Samples::kept(int64_t limit) {
  if (kept_.empty()) {
    const std::unique_ptr<data::Loader> loader = open_();
    int64_t bytes = 0;
    while (std::optional<data::Batch> batch = loader->next()) {
      bytes += bytes_of(*batch);
      if (bytes > kKeptBytes && !kept_.empty()) break;
      kept_.push_back(std::move(*batch));
    }
    if (kept_.empty()) fail(ErrorCode::InvalidData, "calibration", "at least one sample is required, found none");
  }
  std::vector<data::Batch> first;
  int64_t count = 0;
  for (const data::Batch& batch : kept_) {
    count += static_cast<int64_t>(batch.ids.size());
    if (count > limit && !first.empty()) break;
    first.push_back(batch);
  }
  return first;
}

}  // namespace halftone::ptq
