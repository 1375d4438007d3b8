// Choices follow the table, and what is chosen is what the network then does.
#include "halftone/search/tune.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "halftone/base/file.h"
#include "halftone/runtime/session.h"
#include "tests/support/quantized_net.h"
#include "tests/support/temp_folder.h"

namespace halftone::search::tune_test {
namespace {

class Tune : public ::testing::Test {
 protected:
  // The table as measured, with each entry changed by `change(work, microseconds)`.
  template <typename F>
  LatencyTable table_with(const F& change) {
    LatencyTable measured;
    static_cast<void>(choose_layers(model, RequantizeMode::Float, measured));
    measured.save(folder / "table.json");
    nlohmann::json json = nlohmann::json::parse(read_file(folder / "table.json"));
    for (auto& [processor, works] : json.items()) {
      for (auto& [work, microseconds] : works.items()) {
        microseconds = change(work, microseconds.template get<double>());
      }
    }
    write_file(folder / "table.json", json.dump());
    LatencyTable table;
    table.load(folder / "table.json");
    return table;
  }

  static int convolutions_in_integers(const QuantizedModel& network) {
    int count = 0;
    for (const NodeNote& note : Session(network).explain()) {
      count += note.integers && note.node.starts_with("Conv") ? 1 : 0;
    }
    return count;
  }

  test::TempFolder folder;
  Rng rng{11};
  QuantizedModel model = test::random_network(rng);
};

bool starts_with(const std::string& text, std::string_view begin) { return text.starts_with(begin); }

TEST_F(Tune, AllStaysInIntegersWhereThoseAreFaster) {
  LatencyTable table =
      table_with([](const std::string& work, double) { return starts_with(work, "float") ? 100.0 : 1.0; });
  const Tuning tuning = choose_layers(model, RequantizeMode::Float, table);
  EXPECT_EQ(tuning.left_in_float, 0);
  EXPECT_EQ(tuning.model.encodings, model.encodings);
  EXPECT_FALSE(table.changed());
}

TEST_F(Tune, SlowLayersStayFloatWithReasons) {
  LatencyTable table = table_with([](const std::string& work, double) {
    if (starts_with(work, "int8 Conv")) return 50.0;
    return starts_with(work, "float Conv") ? 10.0 : 1.0;
  });
  const Tuning tuning = choose_layers(model, RequantizeMode::Float, table);
  EXPECT_GE(tuning.left_in_float, 4);
  EXPECT_EQ(convolutions_in_integers(model), 4);
  EXPECT_EQ(convolutions_in_integers(tuning.model), 0);
  EXPECT_GE(tuning.model.float_reasons.size(), 4U);
}

TEST_F(Tune, WhatWasFoldedAwayHasNoReasons) {
  test::NetBuilder net;
  const ValueId x = net.input("x", {1, 4, 9, 8}, test::uint8_grid(0.02F, 128));
  const ValueId w = net.constant("w", {4, 4, 3, 3}, test::random_floats(rng, 144, -0.6, 0.6),
                                 test::weight_grid({0.005F, 0.005F, 0.005F, 0.005F}, 0));
  const ValueId y = net.node("Conv", {x, w}, "sum", test::int8_grid(0.03F));
  // Gone before anything is computed: nobody sees its result.
  const ValueId same = net.node("Identity", {y}, "same");
  net.output(net.node("Relu", {same}, "result"));
  model = net.model;
  LatencyTable table =
      table_with([](const std::string& work, double us) { return us * (starts_with(work, "int8") ? 1000 : 1); });
  const Tuning tuning = choose_layers(model, RequantizeMode::Float, table);
  EXPECT_EQ(tuning.left_in_float, 1);
  ASSERT_EQ(tuning.model.float_reasons.size(), 1U);
  EXPECT_EQ(tuning.model.float_reasons.begin()->first, "sum_node");
}

TEST_F(Tune, ConversionsCount) {
  LatencyTable table = table_with([](const std::string& work, double) {
    if (starts_with(work, "int8 Conv")) return 50.0;
    if (starts_with(work, "float Conv")) return 40.0;
    if (starts_with(work, "int8")) return 0.9;
    return work.find("quantize") == std::string::npos ? 1.0 : 100.0;
  });
  // Pools and classifier are as fast in integers, but to get there costs more than they take.
  const Tuning tuning = choose_layers(model, RequantizeMode::Float, table);
  EXPECT_EQ(tuning.left_in_float, static_cast<int>(tuning.layers.size()));
}

TEST_F(Tune, TheResultIsMeasured) {
  LatencyTable table;
  const Tuning tuning = tune(model, RequantizeMode::Float, table);
  EXPECT_GT(tuning.float_ms, 0);
  EXPECT_GT(tuning.integer_ms, 0);
  EXPECT_LE(tuning.tuned_ms, tuning.integer_ms);
  EXPECT_FALSE(tuning.layers.empty());
}

TEST_F(Tune, DamagedTablesAreRefusedByName) {
  for (const std::string text :
       {"", "[]", "{", R"({"cpu": 3})", R"({"cpu": {"work": -1}})", R"({"cpu": {"work": "x"}})"}) {
    write_file(folder / "table.json", text);
    LatencyTable table;
    try {
      table.load(folder / "table.json");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("table.json"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace halftone::search::tune_test
