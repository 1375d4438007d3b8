#include "halftone/data/dataset.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "tests/support/data_files.h"
#include "tests/support/testdata.h"

namespace halftone::data::dataset_test {
namespace {

using test::error_of;

std::vector<std::string> ids(Dataset& dataset) {
  std::vector<std::string> all;
  while (auto record = dataset.next()) all.push_back(record->id);
  return all;
}

TEST(Dataset, LimitAndShuffleOfIndexedSets) {
  const std::string path = "synthetic:glyphs?count=50&seed=3";
  const auto plain = open_dataset(path);
  EXPECT_EQ(plain->size(), 50);
  const std::vector<std::string> order = ids(*plain);
  ASSERT_EQ(order.size(), 50u);
  EXPECT_EQ(order[7], "glyph 7");
  plain->rewind();
  EXPECT_EQ(ids(*plain), order);

  std::vector<std::string> shuffled = ids(*open_dataset(path, {0, 5}));
  EXPECT_NE(shuffled, order);
  EXPECT_EQ(shuffled, ids(*open_dataset(path, {0, 5})));
  EXPECT_NE(shuffled, ids(*open_dataset(path, {0, 6})));
  const std::vector<std::string> first(shuffled.begin(), shuffled.begin() + 9);
  EXPECT_EQ(ids(*open_dataset(path, {9, 5})), first);
  EXPECT_EQ(open_dataset(path, {9, 5})->size(), 9);
  std::ranges::sort(shuffled);
  EXPECT_EQ(std::set(shuffled.begin(), shuffled.end()), std::set(order.begin(), order.end()));
}

TEST(Dataset, UnknownPaths) {
  EXPECT_CONTAINS(error_of([] { open_dataset("/nonexistent/folder"); }), "no such file or folder");
  const test::TempFolder folder;
  const std::string message = error_of([&] { open_dataset(test::put(folder, "notes.txt", "hello").string()); });
  EXPECT_CONTAINS(message, "not a data set");
  EXPECT_CONTAINS(message, "WebDataset");
  EXPECT_CONTAINS(error_of([] { open_dataset("synthetic:glyphs", {-1, {}}); }), "at least 0");
}

TEST(Dataset, Synthetic) {
  const auto dataset = open_dataset("synthetic:glyphs?seed=4&count=3&offset=10");
  const std::vector<Sample> samples = test::read_all(*dataset);
  ASSERT_EQ(samples.size(), 3u);
  EXPECT_EQ(samples[0].id, "glyph 10");
  const Sample same = test::read_all(*open_dataset("synthetic:glyphs?seed=4&count=11"))[10];
  EXPECT_EQ(same.image->pixels, samples[0].image->pixels);
  EXPECT_EQ(open_dataset("synthetic:glyphs")->size(), 1000);
  EXPECT_CONTAINS(error_of([] { open_dataset("synthetic:glyphs?cuont=3"); }), "did you mean 'count'?");
  EXPECT_CONTAINS(error_of([] { open_dataset("synthetic:glyphs?count=x"); }), "integer >= 0 is required for count");
  EXPECT_CONTAINS(error_of([] { open_dataset("synthetic:glyphs?count="); }), "integer >= 0 is required for count");
  EXPECT_CONTAINS(error_of([] { open_dataset("synthetic:faces"); }), "found 'faces'");
  EXPECT_CONTAINS(error_of([] { open_dataset("synthetic:glyphs?count=0"); }), "at least one item");
}

TEST(Dataset, FolderWithLabelsBesideAndBelow) {
  const test::TempFolder folder;
  test::put(folder, "images/b.png", test::encode_png(test::flat_image(2, 3, 1, 2, 3)));
  test::put(folder, "a.jpg", test::encode_jpeg(test::flat_image(8, 8, 9, 9, 9)));
  test::put(folder, "unlisted.jpg", "not even an image");
  test::put(folder, "labels.csv", "file,label\nb.png,4\na.jpg,2\n");
  const auto dataset = open_dataset(folder.path().string());
  EXPECT_EQ(dataset->size(), 2);
  const std::vector<Sample> samples = test::read_all(*dataset);
  EXPECT_EQ(samples[0].label, 4);
  EXPECT_EQ(samples[0].image->width, 3);
  EXPECT_EQ(samples[0].image->pixels[2], 3);
  EXPECT_EQ(samples[1].label, 2);
  EXPECT_EQ(samples[1].id, "a.jpg");

  test::put(folder, "labels.csv", "file,label\nb.png,4\nmissing.jpg,2\n");
  const std::string message = error_of([&] { open_dataset(folder.path().string()); });
  EXPECT_CONTAINS(message, "labels.csv:3");
  EXPECT_CONTAINS(message, "'missing.jpg'");
}

TEST(Dataset, FolderOfClassesAndFlatFolder) {
  const test::TempFolder folder;
  const std::string png = test::encode_png(test::flat_image(1, 1, 5, 5, 5));
  for (const char* name : {"dog/2.png", "dog/1.PNG", "cat/9.png", "empty/readme.txt", "zebra/1.png"}) {
    test::put(folder, name, png);
  }
  const std::vector<Sample> samples = test::read_all(*open_dataset(folder.path().string()));
  ASSERT_EQ(samples.size(), 4u);
  const auto expect = [&](size_t i, const std::string& id, int64_t label) {
    EXPECT_EQ(samples[i].id, id);
    EXPECT_EQ(samples[i].label, label);
  };
  expect(0, "cat/9.png", 0);
  expect(1, "dog/1.PNG", 1);
  expect(2, "dog/2.png", 1);
  expect(3, "zebra/1.png", 2);

  const std::vector<Sample> flat = test::read_all(*open_dataset((folder / "dog").string()));
  ASSERT_EQ(flat.size(), 2u);
  EXPECT_FALSE(flat[0].label.has_value());
  EXPECT_CONTAINS(error_of([&] { open_dataset((folder / "empty").string()); }), "found none");
}

TEST(Dataset, DecodingErrorsNameTheFile) {
  const test::TempFolder folder;
  test::put(folder, "x/cut.jpg", test::encode_jpeg(test::test_image(32, 32)).substr(0, 700));
  const auto dataset = open_dataset(folder.path().string());
  const auto record = dataset->next();
  EXPECT_CONTAINS(error_of([&] { record->decode(); }), "x/cut.jpg: damaged JPEG");
}

TEST(Dataset, Cifar10And100) {
  const test::TempFolder folder;
  // Pixel (y, x) of plane c is 40 c + y + x.
  const auto record = [](std::string labels) {
    for (int c = 0; c < 3; ++c) {
      for (int y = 0; y < 32; ++y) {
        for (int x = 0; x < 32; ++x) labels.push_back(static_cast<char>(40 * c + y + x));
      }
    }
    return labels;
  };
  const auto expect = [&](const std::string& file, std::vector<int64_t> labels) {
    const std::vector<Sample> samples = test::read_all(*open_dataset(test::put(folder, "batch.bin", file).string()));
    ASSERT_EQ(samples.size(), labels.size());
    for (size_t i = 0; i < labels.size(); ++i) {
      EXPECT_EQ(samples[i].label, labels[i]);
      const Image& image = *samples[i].image;
      const size_t at = 3 * (5 * 32 + 9);
      EXPECT_EQ(image.pixels[at], 14);
      EXPECT_EQ(image.pixels[at + 1], 54);
      EXPECT_EQ(image.pixels[at + 2], 94);
    }
  };
  expect(record("\x07") + record("\x03"), {7, 3});
  expect(record("\x13\x63") + record(std::string("\x01\x00", 2)), {99, 0});
  const std::string odd = test::put(folder, "odd.bin", "abc").string();
  EXPECT_CONTAINS(error_of([&] { open_dataset(odd); }), "3073");
  const std::string wrong = test::put(folder, "wrong.bin", record("\x01") + record("\x0b")).string();
  EXPECT_CONTAINS(error_of([&] { test::read_all(*open_dataset(wrong)); }), "wrong.bin[1]: a label below 10");
}

TEST(Dataset, Idx) {
  const test::TempFolder folder;
  const std::string images(
      "\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03"
      "abcdefuvwxyz",
      28);
  const std::string labels("\0\0\x08\x01\0\0\0\x02\x05\x09", 10);
  const auto expect = [](const std::filesystem::path& path, std::optional<int64_t> label) {
    const auto dataset = open_dataset(path.string());
    EXPECT_EQ(dataset->size(), 2);
    const std::vector<Sample> samples = test::read_all(*dataset);
    ASSERT_EQ(samples.size(), 2u);
    EXPECT_EQ(samples[1].label, label);
    EXPECT_EQ(samples[1].image->height, 2);
    EXPECT_EQ(samples[1].image->width, 3);
    EXPECT_EQ(samples[1].image->pixels[3], 'v');
    EXPECT_EQ(samples[1].image->pixels[5], 'v');
    dataset->rewind();
    EXPECT_EQ(test::read_all(*dataset)[0].image->pixels[0], 'a');
  };
  expect(test::put(folder, "t-images-idx3-ubyte", images), std::nullopt);
  test::put(folder, "t-labels-idx1-ubyte.gz", test::gzip(labels));
  expect(folder / "t-images-idx3-ubyte", 9);
  expect(test::put(folder, "s-images-idx3-ubyte.gz", test::gzip(images)), std::nullopt);

  const auto cut = test::put(folder, "u-images-idx3-ubyte", images.substr(0, 27));
  EXPECT_CONTAINS(error_of([&] { test::read_all(*open_dataset(cut.string())); }), "cut short");
  test::put(folder, "u-labels-idx1-ubyte", std::string("\0\0\x08\x01\0\0\0\x03\x05\x09\x01", 11));
  EXPECT_CONTAINS(error_of([&] { open_dataset(cut.string()); }), "one label for each of 2 pictures");
  const auto floats = test::put(folder, "f-images-idx3", std::string("\0\0\x0d\x03\0\0\0\x02\0\0\0\x02\0\0\0\x03", 16));
  EXPECT_CONTAINS(error_of([&] { open_dataset(floats.string()); }), "type 0x0d");
}

TEST(Dataset, WebDataset) {
  const test::TempFolder folder;
  const auto png = [](uint8_t value) { return test::encode_png(test::flat_image(1, 1, value, value, value)); };
  test::write_archive(folder / "s-0.tar",
                      {{"a.png", png(10)},
                       {"a.cls", "3\n"},
                       {"a.json", "{}"},
                       {"README", "hello"},
                       {"d/b.cls", "1"},
                       {"d/b.png", png(20)}},
                      test::ArchiveKind::Tar);
  test::write_archive(folder / "s-1.tar.gz", {{"d/b.png", png(30)}}, test::ArchiveKind::TarGz);
  const auto expect = [](const std::string& path, size_t count) {
    const auto dataset = open_dataset(path);
    const std::vector<Sample> samples = test::read_all(*dataset);
    ASSERT_EQ(samples.size(), count);
    EXPECT_EQ(samples[0].label, 3);
    EXPECT_EQ(samples[0].image->pixels[0], 10);
    EXPECT_EQ(samples[1].label, 1);
    EXPECT_EQ(samples[1].image->pixels[0], 20);
    if (count == 3) {
      EXPECT_FALSE(samples[2].label.has_value());
      EXPECT_EQ(samples[2].id, "s-1.tar.gz/d/b");
    }
    dataset->rewind();
    EXPECT_EQ(test::read_all(*dataset).size(), count);
  };
  expect((folder / "s-0.tar").string(), 2);
  expect(folder.path().string(), 3);
  test::write_archive(folder / "t-08.tar", {{"a.png", png(1)}}, test::ArchiveKind::Tar);
  test::write_archive(folder / "t-09.tar", {{"b.png", png(2)}}, test::ArchiveKind::Tar);
  test::write_archive(folder / "t-10.tar", {{"c.png", png(3)}}, test::ArchiveKind::Tar);
  EXPECT_EQ(ids(*open_dataset((folder / "t-{08..10}.tar").string())),
            (std::vector<std::string>{"t-08.tar/a", "t-09.tar/b", "t-10.tar/c"}));
  EXPECT_EQ(ids(*open_dataset((folder / "t-{08..10}.tar").string(), {2, {}})),
            (std::vector<std::string>{"t-08.tar/a", "t-09.tar/b"}));
  EXPECT_CONTAINS(error_of([&] { open_dataset((folder / "t-{08..11}.tar").string()); }), "t-11.tar: no such shard");
  EXPECT_CONTAINS(error_of([&] { open_dataset((folder / "t-{9..x}.tar").string()); }), "a range like {00..09}");
}

TEST(Dataset, WebDatasetDamage) {
  const test::TempFolder folder;
  const std::string png = test::encode_png(test::test_image(40, 40));
  test::write_archive(folder / "bad.tar", {{"a.png", png}, {"a.cls", "x"}}, test::ArchiveKind::Tar);
  EXPECT_CONTAINS(error_of([&] { open_dataset((folder / "bad.tar").string()); }), "bad.tar/a.cls: an integer >= 0");
  test::write_archive(folder / "lone.tar", {{"a.cls", "1"}}, test::ArchiveKind::Tar);
  EXPECT_CONTAINS(error_of([&] { open_dataset((folder / "lone.tar").string()); }), "an image");
  test::write_archive(folder / "none.tar", {{"a.txt", "1"}}, test::ArchiveKind::Tar);
  EXPECT_CONTAINS(error_of([&] { open_dataset((folder / "none.tar").string()); }), "at least one item");
  test::write_archive(folder / "good.tar", {{"a.png", png}, {"b.png", png}}, test::ArchiveKind::Tar);
  const std::string good = read_file(folder / "good.tar");
  const auto cut = test::put(folder, "cut.tar", good.substr(0, 512 + png.size() / 2));
  EXPECT_CONTAINS(error_of([&] { open_dataset(cut.string()); }), "damaged archive");
}

TEST(Dataset, ShuffledStreamIsAPermutation) {
  const test::TempFolder folder;
  test::Members members;
  for (int i = 0; i < 30; ++i) members.emplace_back(fmt::format("{:02}.png", i), "undecoded");
  test::write_archive(folder / "x.tar", members, test::ArchiveKind::Tar);
  const std::string path = (folder / "x.tar").string();
  const std::vector<std::string> order = ids(*open_dataset(path));
  const auto shuffled = open_dataset(path, {0, 1});
  std::vector<std::string> drawn = ids(*shuffled);
  shuffled->rewind();
  EXPECT_EQ(ids(*shuffled), drawn);
  EXPECT_NE(drawn, order);
  EXPECT_NE(drawn, ids(*open_dataset(path, {0, 2})));
  std::ranges::sort(drawn);
  EXPECT_EQ(drawn, order);
}

// Where items land that were near the end, and where those of the beginning do.
TEST(Dataset, ShuffledStreamMixesTheWholeOfASmallSet) {
  const test::TempFolder folder;
  std::string pixels(6000, 'x');
  test::put(folder, "t-images-idx3-ubyte", std::string("\0\0\x08\x03\0\0\x17\x70\0\0\0\x01\0\0\0\x01", 16) + pixels);
  const auto set = open_dataset((folder / "t-images-idx3-ubyte").string(), {.limit = 0, .shuffle_seed = 4});
  EXPECT_EQ(count_items(*set), 6000);
  const std::vector<std::string> drawn = ids(*set);
  ASSERT_EQ(drawn.size(), 6000U);
  EXPECT_EQ(std::set(drawn.begin(), drawn.end()).size(), 6000U);
  double sum = 0;  // of the first tenth's positions in the file
  for (size_t i = 0; i < 600; ++i) sum += std::stod(drawn[i].substr(drawn[i].find('[') + 1));
  EXPECT_NEAR(sum / 600, 3000, 5 * 6000 / std::sqrt(12.0 * 600));
}

TEST(Dataset, ItemsAreCountedWhereTheSourceDoesNotKnow) {
  const test::TempFolder folder;
  test::Members members;
  for (int i = 0; i < 7; ++i) members.emplace_back(fmt::format("{}.png", i), "undecoded");
  test::write_archive(folder / "x.tar", members, test::ArchiveKind::Tar);
  const auto set = open_dataset((folder / "x.tar").string(), {.limit = 0, .shuffle_seed = 1, .skip = 2});
  set->next();
  EXPECT_EQ(count_items(*set), 5);
  EXPECT_EQ(ids(*set).size(), 5U);
  EXPECT_EQ(count_items(*open_dataset("synthetic:glyphs?count=9")), 9);
}

TEST(Dataset, PartsOfAShuffledSetHaveNothingInCommonAndMissNothing) {
  const test::TempFolder folder;
  test::Members members;
  for (int i = 0; i < 30; ++i) members.emplace_back(fmt::format("{:02}.png", i), "undecoded");
  test::write_archive(folder / "x.tar", members, test::ArchiveKind::Tar);
  for (const std::string& path : {(folder / "x.tar").string(), std::string("synthetic:glyphs?count=30&seed=1")}) {
    const std::vector<std::string> all = ids(*open_dataset(path, {.limit = 0, .shuffle_seed = 3}));
    ASSERT_EQ(all.size(), 30U);
    const auto first = open_dataset(path, {.limit = 13, .shuffle_seed = 3});
    const auto rest = open_dataset(path, {.limit = 0, .shuffle_seed = 3, .skip = 13});
    std::vector<std::string> joined = ids(*first);
    EXPECT_EQ(joined.size(), 13U);
    const std::vector<std::string> second = ids(*rest);
    joined.insert(joined.end(), second.begin(), second.end());
    EXPECT_EQ(joined, all) << path;
    rest->rewind();
    EXPECT_EQ(ids(*rest), second) << path;
    const auto middle = open_dataset(path, {.limit = 5, .shuffle_seed = 3, .skip = 13});
    EXPECT_EQ(ids(*middle), std::vector(second.begin(), second.begin() + 5)) << path;
    EXPECT_TRUE(ids(*open_dataset(path, {.limit = 0, .shuffle_seed = 3, .skip = 31})).empty());
  }
  EXPECT_THROW(open_dataset("synthetic:glyphs?count=30&seed=1", {.limit = 0, .shuffle_seed = {}, .skip = -1}), Error);
}

TEST(Dataset, NpzHasInputsByNameAndLabels) {
  const test::TempFolder folder;
  const std::string x = test::npy_file("<f4", false, "(2, 2)", test::bytes_of<float>({1, 2, 3, 4}));
  const std::string ids_array = test::npy_file("<i8", false, "(2,)", test::bytes_of<int64_t>({7, 8}));
  const std::string labels = test::npy_file("|u1", false, "(2,)", test::bytes_of<uint8_t>({5, 6}));
  for (const auto kind : {test::ArchiveKind::Zip, test::ArchiveKind::StoredZip}) {
    test::write_archive(folder / "a.npz", {{"x.npy", x}, {"labels.npy", labels}, {"ids.npy", ids_array}}, kind);
    const auto dataset = open_dataset((folder / "a.npz").string());
    EXPECT_EQ(dataset->size(), 2);
    for (int pass = 0; pass < 2; ++pass, dataset->rewind()) {
      const std::vector<Sample> samples = test::read_all(*dataset);
      ASSERT_EQ(samples.size(), 2u);
      EXPECT_EQ(samples[1].label, 6);
      EXPECT_EQ(samples[1].tensors.size(), 2u);
      EXPECT_EQ(to_vector<float>(samples[1].tensors.at("x")), (std::vector<float>{3, 4}));
      EXPECT_EQ(samples[1].tensors.at("ids").shape(), Shape{1});
      EXPECT_EQ(to_vector<int64_t>(samples[1].tensors.at("ids")), std::vector<int64_t>{8});
    }
  }
  const auto message = [&](const test::Members& members) {
    test::write_archive(folder / "bad.npz", members, test::ArchiveKind::Zip);
    return error_of([&] { test::read_all(*open_dataset((folder / "bad.npz").string())); });
  };
  EXPECT_CONTAINS(message({{"x.npy", x}, {"y.npy", test::npy_file("<f4", false, "(3,)", "abcdefghijkl")}}),
                  "as many items as in 'x' are required (2), found 3");
  EXPECT_CONTAINS(message({{"x.npy", x.substr(0, x.size() - 4)}}), "'x' is cut short");
  EXPECT_CONTAINS(message({{"x.npy", x}, {"labels.npy", x}}), "is required in 'labels'");
  EXPECT_CONTAINS(message({{"x.txt", "hello"}}), "npy file is required");
  EXPECT_CONTAINS(message({{"x.npy", test::npy_file("<f4", true, "(2, 2)", "0123456789abcdef")}}), "Fortran order");
  EXPECT_CONTAINS(message({{"x.npy", test::npy_file("<f4", false, "(1, 1000000000000)", "0123456789abcdef")}}),
                  "cut short");
}

TEST(Dataset, SharedSets) {
  const std::filesystem::path data = test::shared_folder() / "data";
  if (!std::filesystem::is_directory(data)) GTEST_SKIP() << "no shared data at " << data;
  EXPECT_EQ(open_dataset((data / "imagenet-nips17").string())->size(), 456);
  EXPECT_EQ(open_dataset((data / "cifar10/test500.bin").string())->size(), 500);
  const auto mnist = open_dataset((data / "mnist/t10k3000-images-idx3-ubyte.gz").string());
  EXPECT_EQ(mnist->size(), 3000);
  int64_t zeros = 0, count = 0;
  while (auto record = mnist->next()) {
    zeros += record->decode().label == 0;
    ++count;
  }
  EXPECT_EQ(count, 3000);
  EXPECT_EQ(zeros, 271);  // as the set's own description counts them
  const auto shards = open_dataset((data / "cifar10-jpeg/train-{00..01}.tar.gz").string(), {5100, {}});
  std::vector<int64_t> classes(10, 0);
  int64_t taken = 0;
  for (; auto record = shards->next(); ++taken) {
    if (taken < 5000) ++classes[static_cast<size_t>(record->decode().label.value())];
  }
  EXPECT_EQ(taken, 5100);
  EXPECT_EQ(classes, std::vector<int64_t>(10, 500));
}

}  // namespace
}  // namespace halftone::data::dataset_test
