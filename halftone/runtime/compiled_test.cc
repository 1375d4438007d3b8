// Compiled programs: what is loaded computes what was saved, from the bytes of the file; damage is found.
#include "halftone/runtime/compiled.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <span>

#include "halftone/base/cpu.h"
#include "halftone/base/file.h"
#include "halftone/runtime/archive.h"
#include "halftone/runtime/session.h"
#include "tests/support/error_of.h"
#include "tests/support/quantized_net.h"
#include "tests/support/temp_folder.h"

namespace halftone::compiled_test {
namespace {

TensorMap random_inputs(const Session& session, Rng& rng) {
  TensorMap inputs;
  for (const Session::Port& port : session.inputs()) {
    Shape shape;
    for (const Dim& dim : *port.type.shape) shape.push_back(dim.known() ? dim.value : 2);
    inputs.emplace(port.name, Tensor::from(shape, test::random_floats(rng, element_count(shape), -1, 1)));
  }
  return inputs;
}

std::string message_of(const std::filesystem::path& path) {
  return test::error_of([&] { static_cast<void>(Session::load(path)); });
}

class Compiled : public ::testing::Test {
 protected:
  test::TempFolder folder;
  std::filesystem::path path = folder.path() / "net.ht";
};

TEST_F(Compiled, ComputesWhatWasSaved) {
  Rng rng(3);
  for (int round = 0; round < 12; ++round) {
    const QuantizedModel model = test::random_network(rng);
    SessionOptions options;
    options.requantize = round % 2 == 0 ? RequantizeMode::Float : RequantizeMode::Dyadic;
    const Session session(model, options);
    const TensorMap inputs = random_inputs(session, rng);
    const TensorMap expected = session.run(inputs);
    session.save(path);
    const Session loaded = Session::load(path);  // keeps the mode
    const TensorMap actual = loaded.run(inputs);
    ASSERT_EQ(actual.size(), expected.size());
    for (const auto& [name, value] : expected) EXPECT_TRUE(actual.at(name).same_as(value)) << round << ' ' << name;
    EXPECT_EQ(loaded.metadata(), session.metadata());
  }
}

TEST_F(Compiled, OutlivesItsFile) {
  Rng rng(5);
  const Session session(test::random_network(rng));
  const TensorMap inputs = random_inputs(session, rng);
  const TensorMap expected = session.run(inputs);
  session.save(path);
  const Session loaded = Session::load(path);
  std::filesystem::remove(path);
  for (const auto& [name, value] : loaded.run(inputs)) EXPECT_TRUE(expected.at(name).same_as(value));
}

TEST_F(Compiled, DamageIsFound) {
  Rng rng(7);
  const Session session(test::random_network(rng));
  static_cast<void>(session.run(random_inputs(session, rng)));
  session.save(path);
  const std::string good = read_file(path);
  for (int round = 0; round < 200; ++round) {
    std::string bad = good;
    // Between header and body lie unused bytes.
    size_t at = static_cast<size_t>(rng.next() % bad.size());
    if (at >= 24 && at < 64) at = 8;
    bad[at] = static_cast<char>(bad[at] ^ (1 << rng.next() % 8));
    write_file(path, bad);
    EXPECT_NE(message_of(path), "") << at;
  }
  for (const size_t size : {size_t{8}, size_t{63}, size_t{64}, good.size() / 2, good.size() - 1}) {
    write_file(path, good.substr(0, size));
    EXPECT_NE(message_of(path).find("the compiled program is damaged"), std::string::npos) << size;
  }
  write_file(path, good + "x");
  EXPECT_NE(message_of(path).find("bytes are required"), std::string::npos);
}

TEST_F(Compiled, OtherVersionsAndProcessorsAreToldWhatToDo) {
  Rng rng(7);
  const Session session(test::random_network(rng));
  session.save(path);
  const std::string good = read_file(path);
  // Magic, size and checksum of the body, which begins at 64 with version and instruction set, each after its length.
  constexpr size_t kChecksum = 16, kBody = 64;
  const std::string isa(name_of(isa_level()));
  const size_t isa_at = good.find(isa, kBody), version_at = kBody + 8;
  ASSERT_LT(isa_at, kBody + 64);
  const std::string version = good.substr(version_at, isa_at - 8 - version_at);
  const auto message_with = [&](size_t at, char letter) {
    std::string changed = good;
    changed[at] = letter;
    const uint64_t checksum = runtime::checksum_of(std::as_bytes(std::span(changed).subspan(kBody)));
    std::memcpy(&changed[kChecksum], &checksum, sizeof(checksum));
    write_file(path, changed);
    return message_of(path);
  };
  EXPECT_EQ(message_with(version_at, '9'),
            fmt::format("{}: the program was compiled by Halftone 9{}, this is {}; compile the model again",
                        path.string(), version.substr(1), version));
  EXPECT_EQ(message_with(isa_at, 'x'), fmt::format("{}: the program was compiled for x{}, this processor runs {}; "
                                                   "compile the model on this machine",
                                                   path.string(), isa.substr(1), isa));
}

TEST_F(Compiled, ValuesThatWereFusedAwayHaveNoTap) {
  Rng rng(9);
  const Session session(test::random_network(rng));
  static_cast<void>(session.run(random_inputs(session, rng)));
  session.save(path);
  SessionOptions options;
  options.taps = {"no such value"};
  EXPECT_THROW(static_cast<void>(Session::load(path, options)), Error);
}

}  // namespace
}  // namespace halftone::compiled_test
