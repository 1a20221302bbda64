#include "monitor/html.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "monitor/report_view.hpp"

namespace sae {
namespace {

TEST(Html, TextCannotBecomeMarkup) {
  EXPECT_EQ(escaped("a<b>&\"'c"), "a&lt;b&gt;&amp;&quot;&#39;c");
  EXPECT_EQ(escaped(std::string("a\0b\x1b[1m", 7)), "ab[1m");
  EXPECT_EQ(escaped("Zürich → 5"), "Zürich → 5");
}

TEST(Html, AnAddressIsNeverALinkToElsewhere) {
  EXPECT_EQ(address_of("../a-b/c_1.html"), "../a-b/c_1.html");
  EXPECT_EQ(address_of("javascript:x\"<?#%"), "javascript%3Ax%22%3C%3F%23%25");
  EXPECT_EQ(address_of("\xc3\xbc b"), "%C3%BC%20b");
}

TEST(Html, PicturesAreBase64OfAnyLength) {
  const std::string head = "data:image/png;base64,";  // The vectors of RFC 4648, section 10.
  EXPECT_EQ(png_uri(""), head);
  EXPECT_EQ(png_uri("f"), head + "Zg==");
  EXPECT_EQ(png_uri("fo"), head + "Zm8=");
  EXPECT_EQ(png_uri("foo"), head + "Zm9v");
  EXPECT_EQ(png_uri("foobar"), head + "Zm9vYmFy");
  EXPECT_EQ(png_uri(std::string("\xff\xfe\x00", 3)), head + "//4A");
}

TEST(Html, NumbersOfATableStandAtTheRight) {
  const std::string table = render(kTableTemplate, table_view("a & b", {"x"}, {{"y", "1,2"}}));
  EXPECT_NE(table.find("<caption>a &amp; b</caption>"), std::string::npos) << table;
  EXPECT_NE(table.find("<th scope=\"row\">y</th><td class=\"n\">1,2</td>"), std::string::npos)
      << table;
}

TEST(Html, ASectionWithoutContentIsNotThere) {
  for (const Json& nothing : {Json(), Json(""), Json(false), Json::array()}) {
    EXPECT_EQ(render("{{#x}}<p>{{y}}</p>{{/x}}", {{"x", nothing}, {"y", 1}}), "");
  }
  EXPECT_EQ(render("{{#x}}<p>{{y}}</p>{{/x}}", {{"x", {{"y", "A & B"}}}}), "<p>A &amp; B</p>");
}

TEST(Html, ATemplateThatIsDamagedIsRefused) {
  EXPECT_THROW(render("{{#x}}", Json::object()), std::logic_error);
}

}  // namespace
}  // namespace sae
