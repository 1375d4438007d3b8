#include "halftone/data/internal/labels_csv.h"

#include "tests/support/data_files.h"

namespace halftone::data::labels_csv_test {
namespace {

using test::error_of;

std::vector<std::pair<std::string, int64_t>> parse(const std::string& text) {
  std::vector<std::pair<std::string, int64_t>> rows;
  for (const LabelledFile& row : parse_labels_csv(text, "labels.csv")) rows.emplace_back(row.name, row.label.value());
  return rows;
}

using Rows = std::vector<std::pair<std::string, int64_t>>;

TEST(LabelsCsv, HeadingIsOptional) {
  const Rows expected = {{"a.jpg", 3}, {"b.jpg", 0}};
  EXPECT_EQ(parse("file,label\na.jpg,3\nb.jpg,0\n"), expected);
  EXPECT_EQ(parse("a.jpg,3\nb.jpg,0"), expected);
  EXPECT_EQ(parse("\xef\xbb\xbf"
                  "file,label\r\n a.jpg , 3\r\n\r\nb.jpg,0\r\n\r\n"),
            expected);
  EXPECT_EQ(parse(""), Rows{});
}

TEST(LabelsCsv, QuotedNames) {
  EXPECT_EQ(parse("\"a,b.jpg\",1\n\"say \"\"x\"\".png\",2\n"), (Rows{{"a,b.jpg", 1}, {"say \"x\".png", 2}}));
}

TEST(LabelsCsv, ErrorsNameTheLine) {
  EXPECT_CONTAINS(error_of([] { parse("file,label\na.jpg,3\nb.jpg,cat\n"); }),
                  "labels.csv:3: an integer >= 0 is required as label, found 'cat'");
  EXPECT_CONTAINS(error_of([] { parse("a.jpg,-1\n"); }), "labels.csv:1: an integer >= 0");
  EXPECT_CONTAINS(error_of([] { parse("a.jpg,1.5\n"); }), "found '1.5'");
  EXPECT_CONTAINS(error_of([] { parse("a.jpg,99999999999999999999\n"); }), "labels.csv:1");
  EXPECT_CONTAINS(error_of([] { parse("\na.jpg\n"); }), "labels.csv:2: a row 'file,label' is required");
  EXPECT_CONTAINS(error_of([] { parse("a,1,2\n"); }), "a row 'file,label'");
  EXPECT_CONTAINS(error_of([] { parse(",1\n"); }), "a row 'file,label'");
  EXPECT_CONTAINS(error_of([] { parse("\"open,1\n"); }), "a row 'file,label'");
}

}  // namespace
}  // namespace halftone::data::labels_csv_test
