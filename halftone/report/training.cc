#include "halftone/report/training.h"

#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "halftone/base/error.h"

namespace halftone::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostPoints = 2000;  // of a curve
constexpr size_t kMostTensors = 500;
constexpr size_t kMostScales = 200;  // points of one tensor's curve
constexpr size_t kMostLineBytes = size_t{1} << 24;

double number(const Json& event, const char* key, const std::string& where) {
  const auto found = event.find(key);
  if (found == event.end() || found->is_null()) return kUntold;
  if (!found->is_number()) {
    fail(ErrorCode::InvalidData, where, "a number is required for \"{}\", found {}", key, found->type_name());
  }
  return found->get<double>();
}

int64_t count(const Json& event, const char* key, const std::string& where) {
  const double value = number(event, key, where);
  if (std::isnan(value)) return 0;
  if (!(value >= 0 && value < 0x1p53)) {
    fail(ErrorCode::InvalidData, where, "a number from 0 to 2^53 is required for \"{}\", found {}", key, value);
  }
  return static_cast<int64_t>(value);
}

// A curve whose points stand for ever more steps: neighbours become their mean each time that it is full.
class Means {
 public:
  void add(const TrainingStep& step) {
    sum_ = pending_ == 0 ? step : plus(sum_, step);
    last_ = step.epoch;
    if (++pending_ < per_point_) return;
    points_.push_back(mean());
    pending_ = 0;
    if (points_.size() < kMostPoints) return;
    for (size_t i = 0; i < kMostPoints / 2; ++i) {
      points_[i] = over(plus(points_[2 * i], points_[2 * i + 1]), 2, points_[2 * i + 1].epoch);
    }
    points_.resize(kMostPoints / 2);
    per_point_ *= 2;
  }

  std::vector<TrainingStep> take() {
    if (pending_ > 0) points_.push_back(mean());
    return std::move(points_);
  }

 private:
  static TrainingStep plus(const TrainingStep& a, const TrainingStep& b) {
    return {b.epoch, a.loss + b.loss, a.accuracy + b.accuracy, a.rate + b.rate};
  }
  static TrainingStep over(const TrainingStep& sum, double n, double epoch) {
    return {epoch, sum.loss / n, sum.accuracy / n, sum.rate / n};
  }
  TrainingStep mean() const { return over(sum_, static_cast<double>(pending_), last_); }

  std::vector<TrainingStep> points_;
  TrainingStep sum_;
  double last_ = 0;
  size_t pending_ = 0, per_point_ = 1;
};

// Every n-th point and the last; n doubles each time that there are too many.
template <typename T>
class EveryNth {
 public:
  explicit EveryNth(size_t most) : most_(most) {}
  void add(const T& point) {
    last_ = point;
    last_kept_ = seen_++ % every_ == 0;
    if (!last_kept_) return;
    points_.push_back(point);
    if (points_.size() < most_) return;
    for (size_t i = 0; 2 * i < points_.size(); ++i) points_[i] = points_[2 * i];
    last_kept_ = points_.size() % 2 == 1;
    points_.resize((points_.size() + 1) / 2);
    every_ *= 2;
  }
  std::vector<T> take() {
    if (seen_ > 0 && !last_kept_) points_.push_back(last_);
    return std::move(points_);
  }

 private:
  size_t most_, seen_ = 0, every_ = 1;
  bool last_kept_ = false;
  T last_ = {};
  std::vector<T> points_;
};

class Reader {
 public:
  void read(const Json& event, const std::string& where) {
    if (!event.is_object() || !event.contains("event") || !event["event"].is_string()) {
      fail(ErrorCode::InvalidData, where, "an object with a text \"event\" is required");
    }
    const auto& kind = event["event"].get_ref<const std::string&>();
    if (kind == "start") start(event, where);
    if (kind == "step") step(event, where);
    if (kind == "epoch") epoch(event, where);
    if (kind == "resume") ++training_.resumed;
    if (kind == "end") end(event, where);
  }

  Training take(const std::string& where) {
    if (!started_) {
      fail(ErrorCode::InvalidData, where,
           "a run log as training writes it is required, found no line with \"event\": \"start\"");
    }
    training_.steps = steps_.take();
    training_.epoch_ends = epochs_.take();
    for (auto& [tensor, points] : scales_) {
      ScaleCurve curve{tensor, {}, {}};
      for (const auto& [at, scale] : points.take()) {
        curve.epochs.push_back(at);
        curve.scales.push_back(scale);
      }
      training_.scales.push_back(std::move(curve));
    }
    return std::move(training_);
  }

 private:
  // A log that begins again is another run's.
  void start(const Json& event, const std::string& where) {
    *this = Reader();
    started_ = true;
    if (const auto model = event.find("model"); model != event.end() && model->is_string()) training_.model = *model;
    if (const auto recipe = event.find("recipe"); recipe != event.end()) {
      training_.recipe = recipe->dump(-1, ' ', false, Json::error_handler_t::replace);
    }
    training_.images = count(event, "images", where);
    training_.validation_images = count(event, "validation_images", where);
    training_.parameters = count(event, "parameters", where);
    training_.epochs = count(event, "epochs", where);
    training_.batch = count(event, "batch", where);
    if (const auto seed = event.find("seed"); seed != event.end()) training_.seed = seed->dump();
  }

  void step(const Json& event, const std::string& where) {
    ++training_.all_steps;
    // Steps are numbered through all epochs.
    double at = number(event, "epoch", where);
    if (training_.images > 0 && training_.batch > 0) {
      const auto per_epoch = static_cast<double>((training_.images + training_.batch - 1) / training_.batch);
      at = number(event, "step", where) / per_epoch;
    }
    steps_.add({at, number(event, "loss", where), number(event, "accuracy", where), number(event, "rate", where)});
    training_.images_per_second = number(event, "images_per_second", where);
  }

  void epoch(const Json& event, const std::string& where) {
    const double at = number(event, "epoch", where);
    epochs_.add({at, number(event, "train_loss", where), number(event, "train_accuracy", where),
                 number(event, "validation_loss", where), number(event, "validation_accuracy", where)});
    const auto scales = event.find("scales");
    if (scales == event.end() || !scales->is_object()) return;
    for (const auto& [tensor, scale] : scales->items()) {
      auto found = scales_.find(tensor);
      if (found == scales_.end()) {
        if (scales_.size() == kMostTensors) continue;
        found = scales_.emplace(tensor, kMostScales).first;
      }
      found->second.add({at, number(*scales, tensor.c_str(), where)});
    }
  }

  void end(const Json& event, const std::string& where) {
    training_.finished = true;
    if (event.contains("best_epoch")) training_.best_epoch = count(event, "best_epoch", where);
    training_.validation_accuracy = number(event, "validation_accuracy", where);
    training_.agreement = number(event, "agreement_with_engine", where);
    training_.seconds = number(event, "seconds", where);
  }

  bool started_ = false;
  Training training_;
  Means steps_;
  EveryNth<TrainingEpoch> epochs_{kMostPoints};
  std::map<std::string, EveryNth<std::pair<double, double>>> scales_;
};

}  // namespace

Training read_training(const std::filesystem::path& log) {
  std::ifstream file(log, std::ios::binary);
  if (!file) fail(ErrorCode::Io, log.string(), "can't open the run log");
  Reader reader;
  std::string line;
  int64_t number_of_line = 1;
  const auto finish_line = [&](bool whole) {
    const std::string where = fmt::format("{}:{}", log.string(), number_of_line++);
    const Json event = Json::parse(line, nullptr, false);
    line.clear();
    if (event.is_discarded()) {
      if (!whole) return;
      fail(ErrorCode::InvalidData, where, "a line of JSON is required, found damage");
    }
    reader.read(event, where);
  };
  std::vector<char> block(1 << 16);
  while (file.read(block.data(), static_cast<std::streamsize>(block.size())), file.gcount() > 0) {
    std::string_view rest(block.data(), static_cast<size_t>(file.gcount()));
    for (size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
      line += rest.substr(0, end);
      finish_line(true);
    }
    line += rest;
    if (line.size() > kMostLineBytes) {
      fail(ErrorCode::InvalidData, fmt::format("{}:{}", log.string(), number_of_line),
           "lines of at most 16 MiB are required, found more");
    }
  }
  if (file.bad()) fail(ErrorCode::Io, log.string(), "can't read the run log");
  if (!line.empty()) finish_line(false);
  return reader.take(log.string());
}

}  // namespace halftone::report
