#include <memory>

#include "cli/command.h"
#include "cli/training_options.h"

namespace halftone::cli {

Action setup_distill(CLI::App& app) {
  auto options = std::make_shared<TrainingOptions>();
  add_model_option(app, "MODEL", options->model, "Float model that learns");
  options->add_to(app);
  app.add_option("--teacher", options->teacher, "Model that it learns from")->required()->type_name("FILE");
  app.add_option("--recipe", options->recipe,
                 "As for `train` (default: the teacher's softened answers alone, ten epochs of gradient descent)")
      ->type_name("FILE");
  app.footer(
      "Examples:\n"
      "  halftone distill small.onnx --teacher large.onnx -o small.trained.onnx --data photos --validation "
      "more_photos\n"
      "The same as `train --teacher`; the data needs no labels.");
  return [options](Console& console) { run_training(*options, console); };
}

}  // namespace halftone::cli
