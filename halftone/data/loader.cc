#include "halftone/data/loader.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "halftone/base/error.h"
#include "halftone/data/internal/network_input.h"

namespace halftone::data {
namespace {

// One sample on its way from the data set to a batch.
struct Slot {
  bool ready = false;
  PreparedSample sample;
  std::exception_ptr error;
};

// The samples' tensors one below the other.
Tensor stack(const std::vector<PreparedSample>& samples, const std::string& name) {
  const Tensor& first = samples[0].inputs.find(name)->second;
  if (samples.size() == 1) return first;
  Shape shape = first.shape();
  shape[0] = static_cast<int64_t>(samples.size());
  Tensor batch(first.dtype(), shape);
  std::byte* to = batch.mutable_bytes().data();
  for (const PreparedSample& sample : samples) {
    const Tensor& tensor = sample.inputs.find(name)->second;
    if (tensor.shape() != first.shape()) {
      fail(ErrorCode::InvalidData, sample.id, "the shape {} of its batch's first sample is required, found {}",
           to_string(first.shape()), to_string(tensor.shape()));
    }
    std::memcpy(to, tensor.bytes().data(), tensor.bytes().size());
    to += tensor.bytes().size();
  }
  return batch;
}

}  // namespace

struct Loader::Impl {
  std::unique_ptr<Dataset> dataset;
  NetworkInput network_input;
  int64_t batch_size;
  size_t capacity;  // samples prepared ahead

  std::mutex mutex;  // of everything below, and of the data set
  std::condition_variable slot_ready, slot_free;
  std::deque<Slot> slots;  // samples `taken` and later, in order; a deque's elements stay where they are
  int64_t taken = 0;       // samples that left in batches
  bool ended = false;      // the data set has no more, or failed
  bool stopping = false;
  std::exception_ptr failure;  // of the sample that ended it all; every later next() repeats it
  std::vector<std::thread> workers;

  Impl(std::unique_ptr<Dataset> source, NetworkInput input, const LoaderOptions& options)
      : dataset(std::move(source)),
        network_input(std::move(input)),
        batch_size(options.batch_size),
        capacity(static_cast<size_t>(options.batch_size * options.queue)) {
    for (int i = 0; i < options.threads; ++i) workers.emplace_back([this] { work(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    slot_free.notify_all();
    for (std::thread& worker : workers) worker.join();
  }

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      slot_free.wait(lock, [&] { return stopping || ended || slots.size() < capacity; });
      if (stopping || ended) return;
      Slot& slot = slots.emplace_back();
      std::optional<Record> record;
      try {
        record = dataset->next();
      } catch (...) {
        slot.error = std::current_exception();
      }
      if (record) {
        lock.unlock();
        try {
          slot.sample = network_input.prepare(record->decode());
        } catch (...) {
          slot.error = std::current_exception();
        }
        record.reset();
        lock.lock();
      } else {
        ended = true;
        slot_free.notify_all();
        if (!slot.error) {
          slots.pop_back();
          slot_ready.notify_one();
          return;
        }
      }
      slot.ready = true;
      slot_ready.notify_one();
    }
  }

  // The next sample in order, or nullopt at the end.
  std::optional<PreparedSample> next_sample() {
    std::unique_lock lock(mutex);
    slot_ready.wait(lock, [&] { return slots.empty() ? ended : slots.front().ready; });
    if (slots.empty()) return std::nullopt;
    Slot slot = std::move(slots.front());
    slots.pop_front();
    ++taken;
    slot_free.notify_one();
    if (slot.error) std::rethrow_exception(slot.error);
    return std::move(slot.sample);
  }

  std::optional<Batch> next_batch() {
    std::vector<PreparedSample> samples;
    Batch batch;
    batch.first_index = taken;  // only this thread changes it
    while (static_cast<int64_t>(samples.size()) < batch_size) {
      std::optional<PreparedSample> sample = next_sample();
      if (!sample) break;
      samples.push_back(std::move(*sample));
    }
    if (samples.empty()) return std::nullopt;
    for (const auto& [name, tensor] : samples[0].inputs) batch.inputs[name] = stack(samples, name);
    for (PreparedSample& sample : samples) {
      batch.labels.push_back(sample.label);
      batch.ids.push_back(std::move(sample.id));
    }
    return batch;
  }
};

Loader::Loader(std::unique_ptr<Dataset> dataset, std::optional<Preprocess> recipe, std::vector<InputPort> inputs,
               LoaderOptions options) {
  HT_CHECK(dataset != nullptr);
  if (options.batch_size < 1 || options.threads < 1 || options.queue < 1) {
    fail(ErrorCode::InvalidArgument, "loader",
         "batch size, threads and queue of at least 1 are required, found {}, {}, {}", options.batch_size,
         options.threads, options.queue);
  }
  impl_ = std::make_unique<Impl>(std::move(dataset), NetworkInput(std::move(recipe), std::move(inputs)), options);
}

Loader::~Loader() = default;

std::optional<Batch> Loader::next() {
  if (impl_->failure) std::rethrow_exception(impl_->failure);
  try {
    return impl_->next_batch();
  } catch (...) {
    impl_->failure = std::current_exception();
    throw;
  }
}

std::optional<int64_t> Loader::size() const { return impl_->dataset->size(); }

}  // namespace halftone::data
