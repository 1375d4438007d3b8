#include <memory>

#include "cli/command.h"
#include "cli/training_options.h"

namespace halftone::cli {

Action setup_train(CLI::App& app) {
  auto options = std::make_shared<TrainingOptions>();
  add_model_option(app, "MODEL", options->model, "Float model");
  options->add_to(app);
  app.add_option("--recipe", options->recipe, "What is trained, and how: docs/training.md")
      ->required()
      ->type_name("FILE");
  app.add_option("--teacher", options->teacher,
                 "Model whose answers losses compare with (default: MODEL itself, as it is)")
      ->type_name("FILE");
  app.footer(
      "Examples:\n"
      "  halftone train model.onnx -o model.w4a4.onnx --data train.tar --validation test.tar "
      "--recipe recipes/qat_w4a4_lsq.json\n"
      "  halftone train model.onnx -o model.w4a4.onnx --data train.tar --validation test.tar "
      "--recipe recipes/qat_w4a4_lsq.json --resume\n"
      "With grids in the recipe the file is a quantized model like those of `quantize`; without, a float model.\n"
      "An interrupted training is kept in OUTPUT.checkpoint.");
  return [options](Console& console) { run_training(*options, console); };
}

}  // namespace halftone::cli
