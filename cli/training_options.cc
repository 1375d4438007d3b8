#include "cli/training_options.h"

namespace halftone::cli {

void TrainingOptions::add_to(CLI::App& app) {
  app.add_option("-o,--output", output, "The trained model to write")->required()->type_name("FILE");
  data.add_to(app);
  app.add_option("--validation", validation, "Data that each epoch is measured on; the best one is kept")
      ->required()
      ->type_name("PATH");
  app.add_option("--epochs", epochs, "In the place of the recipe's")->type_name("N");
  app.add_option("--seed", seed, "In the place of the recipe's")->type_name("N");
  app.add_flag("--resume", resume, "Go on with a training that was interrupted, as if it had not been");
  app.add_option("--checkpoint-minutes", checkpoint_minutes,
                 "Time between checkpoints, beside those after each epoch and on Ctrl-C (default 5)")
      ->type_name("N");
  app.add_option("--log", log, "Run log, JSON lines (default: the output's name and .log.jsonl)")->type_name("FILE");
  app.add_option("--report", report.output, "Also write a page about the result, as `report` does")->type_name("FILE");
}

}  // namespace halftone::cli
