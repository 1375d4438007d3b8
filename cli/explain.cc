#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/model.h"
#include "cli/table.h"
#include "halftone/base/cpu.h"
#include "halftone/base/text.h"
#include "halftone/eval/inputs.h"
#include "halftone/runtime/session.h"

namespace halftone::cli {
namespace {

struct ExplainArguments {
  std::string model;
  EngineOptions engine;
  int threads = 1;
  int64_t batch = 1;
};

// Reasons are the same for many nodes: rows carry their numbers, the list follows the table.
class Footnotes {
 public:
  // "[3]"
  std::string mark(const std::string& reason) {
    const std::string text = printable(reason);
    const auto found = std::find(texts_.begin(), texts_.end(), text);
    const auto number = found - texts_.begin() + 1;
    if (found == texts_.end()) texts_.push_back(text);
    return fmt::format("[{}]", number);
  }
  std::string to_string() const {
    std::string list;
    for (size_t i = 0; i < texts_.size(); ++i)
      list += fmt::format("{:>4}  {}\n", fmt::format("[{}]", i + 1), texts_[i]);
    return list;
  }

 private:
  std::vector<std::string> texts_;
};

// Rules for other kinds of nodes say "no convolution" and the like, which is nothing to learn from.
bool is_of_another_kind(const std::string& refusal) { return refusal.find(": no ") != std::string::npos; }

std::string table_of(const std::vector<NodeNote>& notes) {
  Footnotes footnotes;
  Table table({"node", "in", "by", "instructions", "layout", ">parts", "reasons"});
  for (const NodeNote& note : notes) {
    std::string marks;
    if (!note.float_reason.empty()) marks += footnotes.mark("left in float: " + note.float_reason);
    for (const std::string& refusal : note.refusals) {
      if (!is_of_another_kind(refusal)) marks += footnotes.mark("not by " + refusal);
    }
    std::string node = note.node;
    for (const std::string& fused : note.fused) node += " + " + fused;
    table.add_row({node, note.integers ? "integers" : "float",
                   note.kernel.empty() ? note.rule : note.rule + ": " + note.kernel, note.isa, note.layout,
                   fmt::format("{}", note.parts), marks});
  }
  const std::string reasons = footnotes.to_string();
  return table.to_string() + (reasons.empty() ? "" : "\n" + reasons);
}

nlohmann::ordered_json to_json(const NodeNote& note) {
  return {{"node", note.node},         {"integers", note.integers},
          {"rule", note.rule},         {"kernel", note.kernel},
          {"isa", note.isa},           {"layout", note.layout},
          {"parts", note.parts},       {"fused", note.fused},
          {"refusals", note.refusals}, {"float_reason", note.float_reason}};
}

void explain_model(const ExplainArguments& options, Console& console) {
  SessionOptions session_options;
  session_options.threads = thread_count(options.threads);
  session_options.requantize = options.engine.mode();
  const Session session = Session::load(options.model, session_options);
  const std::vector<NodeNote> notes = session.explain(eval::input_shapes(session, options.batch));

  const auto integers = std::count_if(notes.begin(), notes.end(), [](const NodeNote& note) { return note.integers; });
  const std::string isa(name_of(isa_level()));
  console.print(fmt::format("{}\n{} of {} in integers; {} thread{}, batch {}, requantization {}, {}, {}\n",
                            table_of(notes), integers, notes.size(), session_options.threads,
                            session_options.threads == 1 ? "" : "s", options.batch,
                            eval::name_of(session_options.requantize), cpu_model(), isa));
  auto nodes = nlohmann::ordered_json::array();
  for (const NodeNote& note : notes) nodes.push_back(to_json(note));
  console.write_json({{"nodes", nodes},
                      {"in_integers", integers},
                      {"threads", session_options.threads},
                      {"batch", options.batch},
                      {"requantize", eval::name_of(session_options.requantize)},
                      {"cpu", cpu_model()},
                      {"isa", isa}});
}

}  // namespace

Action setup_explain(CLI::App& app) {
  auto options = std::make_shared<ExplainArguments>();
  add_model_option(app, "MODEL", options->model, "Model to explain, or a compiled one");
  app.add_option("--threads", options->threads, "Threads of one inference (default 1; 0: all cores)")->type_name("N");
  app.add_option("--batch", options->batch, "Samples of one inference (default 1)")->type_name("N");
  options->engine.add_requantize_to(app);
  app.footer(
      "Examples:\n"
      "  halftone explain model.int8.onnx\n"
      "  HALFTONE_ISA=avx2 halftone explain model.int8.onnx --threads 2\n"
      "One line per node that is computed: in integers or in float, by which rule and kernel, for which instruction "
      "set,\n"
      "how its result lies in memory, and in how many parts threads may take it. Nodes after a + are computed "
      "together\n"
      "with the first. Numbers in brackets refer to the list below the table: kernels that would have been preferred,\n"
      "each with its reason, and why a node was left in float. Nodes of the file that are missing were folded away.");
  return [options](Console& console) { explain_model(*options, console); };
}

}  // namespace halftone::cli
