#include "halftone/report/report.h"

#include <algorithm>
#include <map>

#include "halftone/base/cpu.h"
#include "halftone/data/picture.h"
#include "halftone/eval/answers.h"
#include "halftone/eval/compare.h"
#include "halftone/eval/side_by_side.h"
#include "halftone/ptq/samples.h"
#include "halftone/report/layers.h"
#include "halftone/search/sensitivity.h"

namespace halftone::report {
namespace {

// Samples on which layers are rounded one at a time.
constexpr int64_t kSensitivitySamples = 32;
constexpr size_t kChangedShown = 24;
constexpr int64_t kPictureSide = 112;

const std::string& first_output(const Graph& graph) { return graph.value(graph.outputs().at(0)).name; }

// SQNR layer by layer, and what it says of the whole.
void compare_networks(const Source& source, Report& report, ThreadTeam& team, ProgressSink& progress) {
  const QuantizedModel reference{source.reference, {}, {}};
  const auto common = eval::common_layers(reference, source.model);
  std::vector<std::string> taps;
  for (const auto& layer : common) taps.push_back(layer.name);
  const auto before = eval::make_engine(eval::EngineKind::Auto, reference, RequantizeMode::Float, taps);
  const auto after = eval::make_engine(eval::EngineKind::Auto, source.model, RequantizeMode::Float, taps);
  const auto loader = source.samples();
  const eval::Comparison result = eval::compare(*before, *after, first_output(source.reference),
                                                first_output(source.model.graph), common, *loader, team, progress);
  report.samples = result.images;
  report.agreement = result.agreement;
  report.sqnr_db = result.sqnr_db;
  std::map<std::string, double> by_value;
  for (const auto& layer : result.layers) by_value[layer.name] = layer.sqnr_db;
  for (LayerReport& layer : report.layers) {
    if (!layer.activations || !same_function(source, layer)) continue;
    const auto found = by_value.find(layer.activations->tensor);
    if (found != by_value.end()) layer.sqnr_db = found->second;
  }
}

void measure_sensitivities(const Source& source, Report& report, ThreadTeam& team, ProgressSink& progress) {
  // A layer that was rescaled makes no sense between layers that were not.
  if (!std::all_of(report.layers.begin(), report.layers.end(),
                   [&](const LayerReport& layer) { return same_function(source, layer); })) {
    return;
  }
  const bool same_names =
      std::all_of(source.model.encodings.begin(), source.model.encodings.end(),
                  [&](const auto& entry) { return source.reference.find(entry.first) != ValueId::None; });
  if (!same_names) return;
  ptq::Samples samples(source.samples);
  std::map<std::string, double> alone;
  for (const search::Sensitivity& each :
       search::one_at_a_time(source.reference, source.model, samples.kept(kSensitivitySamples), team, progress)) {
    alone[each.unit.name] = each.alone_db;
  }
  for (LayerReport& layer : report.layers) {
    const auto found = alone.find(layer.name);
    if (found != alone.end()) layer.alone_db = found->second;
  }
}

void add_pictures(const Source& source, Report& report) {
  if (!source.pictures || report.changed.empty()) return;
  std::map<std::string, ChangedAnswer*> wanted;
  for (ChangedAnswer& answer : report.changed) wanted[answer.id] = &answer;
  const auto pictures = source.pictures();
  while (!wanted.empty()) {
    const auto record = pictures->next();
    if (!record) break;
    const auto found = wanted.find(record->id);
    if (found == wanted.end()) continue;
    if (const auto image = record->decode().image) {
      found->second->picture = data::encode_png(data::thumbnail(*image, kPictureSide));
    }
    wanted.erase(found);
  }
}

void compare_answers(const Source& source, Report& report, ThreadTeam& team, ProgressSink& progress) {
  const auto ask = [&](const QuantizedModel& model) {
    const auto engine = eval::make_engine(eval::EngineKind::Auto, model);
    const auto loader = source.samples();
    return eval::answers(*engine, first_output(model.graph), *loader, team, progress);
  };
  const std::vector<eval::Answer> before = ask({source.original, {}, {}}), after = ask(source.model);
  if (std::all_of(before.begin(), before.end(), [](const eval::Answer& answer) { return answer.label; })) {
    report.before.top1 = eval::top1(before);
    report.after.top1 = eval::top1(after);
  }
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i].best == after[i].best) continue;
    ++report.changed_answers;
    if (report.changed.size() < kChangedShown) {
      report.changed.push_back({before[i].id, before[i].label, before[i].best, after[i].best, ""});
    }
  }
  add_pictures(source, report);
}

void measure_speed(const Source& source, Report& report) {
  const eval::SideBySide latency = eval::measure_side_by_side(Session(source.original), Session(source.model));
  report.before.latency_ms = latency.first_ms;
  report.after.latency_ms = latency.second_ms;
}

}  // namespace

Report make_report(const Source& source, ThreadTeam& team, ProgressSink& progress) {
  Report report;
  report.before.name = source.before_name;
  report.before.size_bytes = source.before_bytes;
  report.after.name = source.after_name;
  report.after.size_bytes = source.after_bytes;
  report.cpu = cpu_model();
  report.version = HALFTONE_VERSION;
  report.class_names = source.class_names;
  report.training = source.training;
  report.layers = layers_of(source, team, progress);
  for (const LayerReport& layer : report.layers) {
    if (layer.op == "Input") continue;
    ++(layer.reason.empty() ? report.integer_layers : report.float_layers);
  }
  compare_networks(source, report, team, progress);
  measure_sensitivities(source, report, team, progress);
  compare_answers(source, report, team, progress);
  measure_speed(source, report);
  return report;
}

}  // namespace halftone::report
