// The program `halftone`: reads the command line and turns errors into one line and an exit code.

#include <fmt/core.h>

#include <csignal>
#include <cstdio>
#include <new>
#include <optional>

#include "cli/command.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/base/text.h"

namespace halftone::cli {
namespace {

constexpr int kUserMistake = 2;
constexpr int kOurBug = 70;

struct Subcommand {
  CLI::App* app;
  Action action;
};

std::vector<Subcommand> add_subcommands(CLI::App& app, Console::Options& output) {
  std::vector<Subcommand> commands;
  const auto add = [&](const char* name, const char* summary, Action (*setup)(CLI::App&)) {
    CLI::App* command = app.add_subcommand(name, summary);
    commands.push_back({command, setup(*command)});
    command->add_option("--json", output.json, "Write the results as JSON to this file (- for standard output)")
        ->type_name("FILE");
    command->add_flag("-q,--quiet", output.quiet, "No progress and no remarks");
  };
#define HT_COMMAND(name, summary) add(#name, summary, setup_##name);
#include "cli/commands.def"
#undef HT_COMMAND
  return commands;
}

// CLI11's own complaint about an unknown word is only "was not expected"; name the nearest known one.
[[noreturn]] void refuse_extras(const CLI::App& app, const CLI::ExtrasError& error) {
  std::vector<std::string> known;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!app.got_subcommand(command) && !app.get_subcommands().empty()) continue;
    if (app.get_subcommands().empty()) known.push_back(command->get_name());
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
  }
  const std::vector<std::string> extras = app.remaining(true);
  const std::string word = extras.empty() ? error.what() : extras.front();
  const std::string near = nearest_word(word, known);
  fail(ErrorCode::InvalidArgument, "command line", "'{}' is not known{}; see halftone help", word,
       near.empty() ? "" : fmt::format(", did you mean '{}'?", near));
}

// Results in the place of a model, or of anything else that the command line names, would destroy it.
void check_json_name(const CLI::App& command, const std::string& json) {
  if (json.empty() || json == "-") return;
  for (const CLI::Option* option : command.get_options()) {
    if (option->check_lname("json")) continue;
    for (const std::string& name : option->results()) {
      if (!same_file(name, json)) continue;
      fail(ErrorCode::InvalidArgument, "--json", "another file than that of {} is required, found '{}'",
           option->get_name(), json);
    }
  }
}

int run(int argc, char** argv) {
  CLI::App app("Halftone makes trained ONNX networks small and fast, and proves it.", "halftone");
  app.require_subcommand(0, 1);
  Console::Options output;
  const std::vector<Subcommand> commands = add_subcommands(app, output);
  std::string topic;
  CLI::App* help = app.add_subcommand("help", "Show a command's options and examples");
  help->add_option("COMMAND", topic, "The command to explain");
  app.footer("halftone help COMMAND explains a command, with examples.");

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& e) {
    return app.exit(e);
  } catch (const CLI::CallForAllHelp& e) {
    return app.exit(e);
  } catch (const CLI::ExtrasError& e) {
    refuse_extras(app, e);
  } catch (const CLI::ParseError& e) {
    const std::vector<CLI::App*> chosen = app.get_subcommands();
    const std::string name = chosen.empty() ? "" : " " + chosen.front()->get_name();
    fail(ErrorCode::InvalidArgument, "command line", "{}; see halftone help{}", e.what(), name);
  }

  for (const Subcommand& command : commands) {
    if (help->parsed() && command.app->get_name() == topic) {
      fmt::print("{}", command.app->help("halftone"));
      return 0;
    }
    if (command.app->parsed()) {
      check_json_name(*command.app, output.json);
      Console console(output);
      command.action(console);
      return console.exit_code();
    }
  }
  if (help->parsed() && !topic.empty()) {
    std::vector<std::string> names;
    for (const Subcommand& command : commands) names.push_back(command.app->get_name());
    const std::string near = nearest_word(topic, names);
    fail(ErrorCode::InvalidArgument, "help", "there is no command '{}'{}", topic,
         near.empty() ? "" : fmt::format(", did you mean '{}'?", near));
  }
  fmt::print("{}", app.help());
  return 0;
}

}  // namespace
}  // namespace halftone::cli

int main(int argc, char** argv) {
  // A reader that closes the pipe (head) is noticed where we write, as an error like a full disk.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return halftone::cli::run(argc, argv);
  } catch (const halftone::Error& e) {
    fmt::print(stderr, "halftone: {}\n", halftone::printable(e.what()));
    return halftone::cli::kUserMistake;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "halftone: out of memory\n");
    return halftone::cli::kUserMistake;
  } catch (const std::exception& e) {
    fmt::print(stderr, "halftone: internal error: {}\n", e.what());
    return halftone::cli::kOurBug;
  }
}
