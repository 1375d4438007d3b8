#include <halftone/eval/inputs.h>
#include <halftone/onnx/onnx.h>
#include <halftone/runtime/session.h>
#include <halftone/transform/fold_qdq.h>
#include <algorithm>
#include <cstdio>

int main(int, char** argv) try {
  halftone::Graph graph = halftone::onnx::import_model(argv[1]);
  const auto recipe = halftone::data::find_preprocess(argv[1], graph.metadata["halftone.preprocess"]);
  halftone::data::Loader loader(halftone::data::open_dataset(argv[2]), recipe, halftone::eval::input_ports(graph));
  const halftone::Session session(halftone::fold_qdq(std::move(graph)));
  while (const auto batch = loader.next()) {
    const auto scores = halftone::to_vector<float>(session.run(batch->inputs).begin()->second);
    const auto best = std::max_element(scores.begin(), scores.end());
    std::printf("%s: class %td\n", batch->ids[0].c_str(), best - scores.begin());
  }
} catch (const halftone::Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 2;
}
