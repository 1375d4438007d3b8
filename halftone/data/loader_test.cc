#include "halftone/data/loader.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/support/data_files.h"

namespace halftone::data::loader_test {
namespace {

using test::error_of;

// Item i is the float i, or an error; later items decode faster, so that threads finish out of order.
class NumberDataset : public Dataset {
 public:
  explicit NumberDataset(int64_t count, int64_t bad = -1, int64_t ends_badly_at = -1)
      : count_(count), bad_(bad), ends_badly_at_(ends_badly_at) {}
  std::optional<int64_t> size() const override { return count_; }
  std::optional<Record> next() override {
    if (next_ == ends_badly_at_) fail(ErrorCode::InvalidData, "source", "cut short");
    if (next_ == count_) return std::nullopt;
    const int64_t i = next_++;
    ++handed_out;
    return Record{fmt::format("{}", i), [this, i] {
                    std::this_thread::sleep_for(std::chrono::microseconds(i % 4 == 0 ? 2000 : 10));
                    if (i == bad_) fail(ErrorCode::InvalidData, fmt::format("{}", i), "damaged");
                    Sample sample{fmt::format("{}", i), i % 10, std::nullopt, {}};
                    sample.tensors[""] = Tensor::from<float>({1, 1}, std::vector<float>{static_cast<float>(i)});
                    return sample;
                  }};
  }
  void rewind() override { next_ = 0; }

  static inline std::atomic<int64_t> handed_out = 0;

 private:
  int64_t count_, bad_, ends_badly_at_, next_ = 0;
};

const std::vector<InputPort> kPort = {{"x", DType::Float, {-1, 1}}};

std::unique_ptr<Loader> numbers(int64_t count, LoaderOptions options, int64_t bad = -1, int64_t ends_badly_at = -1) {
  return std::make_unique<Loader>(std::make_unique<NumberDataset>(count, bad, ends_badly_at), std::nullopt, kPort,
                                  options);
}

TEST(Loader, OrderDoesNotDependOnThreads) {
  for (const int threads : {1, 2, 5}) {
    for (const int64_t batch_size : {1, 3, 7}) {
      const auto loader = numbers(40, {batch_size, threads, 2});
      EXPECT_EQ(loader->size(), 40);
      int64_t expected = 0;
      while (auto batch = loader->next()) {
        EXPECT_EQ(batch->first_index, expected);
        const Tensor& tensor = batch->inputs.at("x");
        EXPECT_EQ(tensor.shape(), (Shape{std::min(batch_size, 40 - expected), 1}));
        for (const float value : to_vector<float>(tensor)) {
          const size_t row = static_cast<size_t>(expected - batch->first_index);
          EXPECT_EQ(value, static_cast<float>(expected));
          EXPECT_EQ(batch->labels[row], expected % 10);
          EXPECT_EQ(batch->ids[row], fmt::format("{}", expected));
          ++expected;
        }
      }
      EXPECT_EQ(expected, 40);
      EXPECT_FALSE(loader->next().has_value());
    }
  }
}

TEST(Loader, ErrorsArriveInOrderAndStay) {
  for (const int threads : {1, 4}) {
    const auto decode_error = numbers(20, {2, threads, 8}, 6);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(decode_error->next().has_value());
    EXPECT_EQ(error_of([&] { decode_error->next(); }), "6: damaged");
    EXPECT_EQ(error_of([&] { decode_error->next(); }), "6: damaged");
    const auto source_error = numbers(20, {1, threads, 8}, -1, 5);
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(source_error->next().has_value());
    EXPECT_EQ(error_of([&] { source_error->next(); }), "source: cut short");
  }
}

TEST(Loader, QueueIsBoundedAndAbandoningIsClean) {
  NumberDataset::handed_out = 0;
  {
    const auto loader = numbers(100000, {2, 3, 4});
    EXPECT_TRUE(loader->next().has_value());
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_LE(NumberDataset::handed_out, 2 + 2 * 4);
  }
  EXPECT_LE(NumberDataset::handed_out, 2 + 2 * 4);
}

TEST(Loader, ImagesGoThroughTheRecipe) {
  Preprocess recipe;
  recipe.height = recipe.width = 16;
  recipe.label_offset = 100;
  const auto open = [] { return open_dataset("synthetic:glyphs?count=4"); };
  Loader loader(open(), recipe, {{"image", DType::Float, {-1, 3, 16, -1}}}, {4, 2, 1});
  const auto batch = loader.next();
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->inputs.at("image").shape(), (Shape{4, 3, 16, 16}));
  const Sample second = test::read_all(*open())[1];
  EXPECT_EQ(batch->labels[1], *second.label + 100);
  const std::vector<float> expected = to_vector<float>(apply(recipe, *second.image));
  const std::vector<float> all = to_vector<float>(batch->inputs.at("image"));
  EXPECT_EQ(std::vector<float>(all.begin() + 768, all.begin() + 2 * 768), expected);

  const auto message = [&](std::optional<Preprocess> how, std::vector<InputPort> ports) {
    Loader failing(open(), std::move(how), std::move(ports));
    return error_of([&] { failing.next(); });
  };
  EXPECT_CONTAINS(message(std::nullopt, {{"image", DType::Float, {-1, 3, 32, 32}}}), "--preprocess FILE");
  EXPECT_CONTAINS(message(recipe, {{"image", DType::Float, {-1, 3, 32, 32}}}),
                  "'image' requires float [N, 3, 32, 32], the recipe makes [1, 3, 16, 16]");
  EXPECT_CONTAINS(message(recipe, {{"a", DType::Float, {-1}}, {"b", DType::Float, {-1}}}), "found 2 inputs");
}

TEST(Loader, TensorsGoToTheInputsOfTheirNames) {
  const test::TempFolder folder;
  const std::string x = test::npy_file("<f8", false, "(2, 2)", test::bytes_of<double>({1, 2, 3, 4}));
  const std::string n = test::npy_file("<i8", false, "(2,)", test::bytes_of<int64_t>({7, 8}));
  test::write_archive(folder / "a.npz", {{"x.npy", x}, {"n.npy", n}}, test::ArchiveKind::Zip);
  const auto message = [&](std::vector<InputPort> ports) {
    Loader failing(open_dataset((folder / "a.npz").string()), std::nullopt, std::move(ports));
    return error_of([&] { failing.next(); });
  };
  Loader loader(open_dataset((folder / "a.npz").string()), std::nullopt,
                {{"x", DType::Float, {-1, 2}}, {"n", DType::Int64, {-1}}}, {2, 1, 1});
  const auto batch = loader.next();
  EXPECT_EQ(to_vector<float>(batch->inputs.at("x")), (std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(to_vector<int64_t>(batch->inputs.at("n")), (std::vector<int64_t>{7, 8}));
  EXPECT_CONTAINS(message({{"y", DType::Float, {-1, 2}}}), "an array for the input 'y' is required, found n, x");
  EXPECT_CONTAINS(message({{"x", DType::Float, {-1, 3}}}), "'x' requires float [N, 3], found [1, 2]");
  EXPECT_CONTAINS(message({{"x", DType::Int64, {-1, 2}}}), "'x' requires int64, found double");
}

TEST(Loader, RefusesOptionsThatCannotWork) {
  EXPECT_CONTAINS(error_of([] { numbers(1, {0, 1, 1}); }), "at least 1 are required, found 0, 1, 1");
}

}  // namespace
}  // namespace halftone::data::loader_test
