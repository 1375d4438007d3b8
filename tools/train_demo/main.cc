// Trains the demo network on the procedural glyphs and writes its ONNX file: train_demo OUTPUT.onnx
#include <malloc.h>

#include <cstdio>
#include <exception>

#include "halftone/onnx/onnx.h"
#include "trainer.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: train_demo OUTPUT.onnx\n");
    return 2;
  }
  // Every step allocates the same activations again; handing them back to the system each time costs a quarter of the
  // run.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  try {
    const train_demo::TrainOptions options;
    const train_demo::TrainResult result =
        train_demo::train(options, [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); });
    halftone::onnx::export_model(train_demo::to_graph(result.weights), argv[1]);
    std::printf("top-1 on synthetic:glyphs?count=%lld&seed=%llu: %.2f %%\n", static_cast<long long>(options.test_count),
                static_cast<unsigned long long>(options.test_seed), 100 * result.test_accuracy);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
