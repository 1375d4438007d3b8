// Runs a model on an image: classify MODEL IMAGE_FOLDER
#include <halftone/data/loader.h>
#include <halftone/onnx/onnx.h>
#include <halftone/runtime/session.h>
#include <halftone/transform/fold_qdq.h>

#include <algorithm>
#include <cstdio>

int main(int, char** argv) try {
  halftone::Graph graph = halftone::onnx::import_model(argv[1]);
  const auto recipe = halftone::data::find_preprocess(argv[1], graph.metadata["halftone.preprocess"]);
  const halftone::Session session(halftone::fold_qdq(graph), {.threads = 2, .team = nullptr, .taps = {}});
  const auto& input = session.inputs().front();
  halftone::data::Loader loader(halftone::data::open_dataset(argv[2]), recipe, {{input.name, input.type.dtype, {}}});
  while (const auto batch = loader.next()) {
    const halftone::Tensor scores = session.run(batch->inputs).begin()->second;
    const auto row = scores.data<float>();
    std::printf("%s: class %td\n", batch->ids[0].c_str(), std::max_element(row.begin(), row.end()) - row.begin());
  }
} catch (const halftone::Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 2;
}
