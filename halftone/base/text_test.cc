#include "halftone/base/text.h"

#include <gtest/gtest.h>

namespace halftone::text_test {
namespace {

TEST(Printable, EscapesWhatIsNoCharacterToSee) {
  EXPECT_EQ(printable("conv\n1\r\t"), "conv\\n1\\r\\t");
  EXPECT_EQ(printable("\x1b[31mred"), "\\x1b[31mred");
  EXPECT_EQ(printable(std::string_view("\0\x1f\x7f", 3)), "\\x00\\x1f\\x7f");
  EXPECT_EQ(printable("\xc2\x80\xc2\x9b\xc2\x9f"), "\\x80\\x9b\\x9f");
}

TEST(Printable, LeavesTheRest) {
  for (const char* text : {"", "features.0/Conv", "a\\n", "Größe", "\xc2\xa0\xc3\x9f", "\xe7\xbd\x91", "\xff\xc2"}) {
    EXPECT_EQ(printable(text), text);
  }
}

TEST(Printable, LinesKeepTheirEnds) { EXPECT_EQ(printable_lines("a\n\tb\r\n"), "a\n\\tb\\r\n"); }

}  // namespace
}  // namespace halftone::text_test
