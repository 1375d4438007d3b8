#include "halftone/train/judge.h"

#include "halftone/base/cpu.h"
#include "halftone/eval/accuracy.h"
#include "halftone/eval/answers.h"
#include "halftone/eval/inputs.h"
#include "halftone/train/samples.h"
#include "halftone/train/targets.h"

namespace halftone::train {
namespace {

constexpr int64_t kBatch = 128;

}  // namespace

Judge::Judge(const TrainOptions& options, Network& student, Network& teacher)
    : options_(options), inputs_(eval::input_ports(student.graph())) {
  SampleStream stream(data::open_dataset(options.validation), options, inputs_, kBatch);
  int64_t unlabelled = 0;
  const at::NoGradGuard no_grad;
  while (const std::optional<Samples> samples = stream.next()) {
    const at::Tensor targets = targets_of(samples->batch, student.classes());
    if (!targets.defined()) unlabelled += samples->count();
    const at::Tensor right = targets.defined() ? targets.argmax(1) : at::full({samples->count()}, -1, at::kLong);
    right_.insert(right_.end(), right.data_ptr<int64_t>(), right.data_ptr<int64_t>() + right.numel());
  }
  if (unlabelled == 0) return;
  if (unlabelled < samples()) {
    fail(ErrorCode::InvalidData, options.validation, "labels for all samples or for none are required, {} have none",
         unlabelled);
  }
  by_labels_ = false;
  right_ = answers(teacher);
}

template <typename F>
void Judge::answer(Network& network, F visit) {
  const at::NoGradGuard no_grad;
  SampleStream stream(data::open_dataset(options_.validation), options_, inputs_, kBatch);
  int64_t first = 0;
  while (const std::optional<Samples> samples = stream.next()) {
    visit(network.answers(samples->inputs, Mode::Inference, BatchStatistics::Frozen).logits, first);
    first += samples->count();
  }
}

std::vector<int64_t> Judge::answers(Network& network) {
  std::vector<int64_t> all;
  answer(network, [&](const at::Tensor& logits, int64_t) {
    const at::Tensor best = logits.argmax(1);
    all.insert(all.end(), best.data_ptr<int64_t>(), best.data_ptr<int64_t>() + best.numel());
  });
  return all;
}

Verdict Judge::judge(Network& network) {
  int64_t correct = 0;
  double loss = 0;
  answer(network, [&](const at::Tensor& logits, int64_t first) {
    const at::Tensor right = at::from_blob(&right_.at(static_cast<size_t>(first)), {logits.size(0)}, at::kLong);
    correct += logits.argmax(1).eq(right).sum().item<int64_t>();
    loss += at::cross_entropy_loss(logits, right, {}, 2 /* sum */).item<double>();
  });
  const auto count = static_cast<double>(samples());
  return {static_cast<double>(correct) / count, loss / count};
}

double Judge::engine_agreement(Network& network, const QuantizedModel& model) {
  const std::vector<int64_t> expected = answers(network);
  const int threads = options_.threads > 0 ? options_.threads : available_cores();
  data::Loader loader(data::open_dataset(options_.validation), options_.preprocess, inputs_,
                      {.batch_size = 1, .threads = threads, .queue = 4 * threads});
  ThreadTeam team(threads);
  const auto engine = eval::make_engine(eval::EngineKind::Auto, model);
  const auto found = eval::answers(*engine, eval::score_output(model.graph), loader, team, silent_progress());
  int64_t same = 0;
  for (size_t i = 0; i < found.size(); ++i) same += found[i].best == expected.at(i) ? 1 : 0;
  return static_cast<double>(same) / static_cast<double>(found.size());
}

}  // namespace halftone::train
