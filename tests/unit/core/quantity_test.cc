#include "core/quantity.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace shm {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("quantities are read with every suffix of Kubernetes, fractions rounded up") {
  struct Case {
    const char* text;
    std::int64_t value;
  };
  const Case cases[] = {{"0", 0},
                        {"-0", 0},
                        {"+5", 5},
                        {"007", 7},
                        {"1Ki", 1024},
                        {"1Mi", 1 << 20},
                        {"2Gi", std::int64_t{2} << 30},
                        {"1Ti", std::int64_t{1} << 40},
                        {"1Pi", std::int64_t{1} << 50},
                        {"7Ei", std::int64_t{7} << 60},
                        {"1k", 1000},
                        {"500M", 500'000'000},
                        {"1G", 1'000'000'000},
                        {"1T", 1'000'000'000'000},
                        {"1P", 1'000'000'000'000'000},
                        {"9E", 9'000'000'000'000'000'000},
                        {"1e3", 1000},
                        {"1E3", 1000},
                        {"1E", 1'000'000'000'000'000'000},
                        {"12e-1", 2},
                        {"1e-30", 1},
                        {"0e99", 0},
                        {"1m", 1},
                        {"1500m", 2},
                        {"2000m", 2},
                        {"1u", 1},
                        {"1000000000n", 1},
                        {"1.5Gi", std::int64_t{3} << 29},
                        {"0.5Ki", 512},
                        {"0.0001Ki", 1},
                        {".5k", 500},
                        {"1.", 1},
                        {"0.1Gi", 107'374'183},
                        {"9223372036854775807", kMost},
                        {"9223372036854775806.1", kMost},
                        {"7.99999999Ei", 9'223'372'025'325'560'762}};
  for (const Case& c : cases) {
    INFO(c.text);
    const auto value = ParseQuantity(c.text);
    REQUIRE(value.ok());
    CHECK(*value == c.value);
  }
}

TEST_CASE("quantities of one value have one canonical text, others another") {
  const std::vector<std::vector<const char*>> same = {
      {"0", "-0", "0.0", "0Ki", "0e9"},
      {"1", "1000m", "1e0", "1.0", "+01"},
      {"-1", "-1000m"},
      {"512Mi", "0.5Gi", "536870912", "524288Ki"},
      {"1.5Gi", "1536Mi"},
      {"1500m", "1.5"},
      {"1G", "1000M", "1E9", "1e9"},
      {"1Gi"},
      {"7Ei"},
      {"123456789012345678901Gi"},  // too many digits: as it stands
      {"many"},
      {""}};
  std::set<std::string> all;
  for (const auto& texts : same) {
    for (const char* text : texts) CHECK(CanonicalQuantity(text) == CanonicalQuantity(texts[0]));
    CHECK(all.insert(CanonicalQuantity(texts[0])).second);
  }
}

TEST_CASE("what is no quantity is refused with words that show it") {
  for (const char* text : {"", " ", "Gi", "1 Gi", "1gi", "1GI", "1K", "1e", "1e+", "1ee3", "0x10",
                           "1.2.3", ".", "+", "--1", "1_000", "1Gi ", "NaN", "1Kib"}) {
    INFO(text);
    const auto value = ParseQuantity(text);
    REQUIRE_FALSE(value.ok());
    CHECK_THAT(value.error().message, Catch::Contains("\"" + std::string(text) + "\""));
  }
  CHECK_FALSE(ParseQuantity(std::string(100'000, '9')).ok());
}

TEST_CASE("negative and too large quantities are refused, never cut") {
  for (const char* text : {"-1", "-1Gi", "-0.1"}) {
    CHECK_THAT(ParseQuantity(text).error().message, Catch::Contains("negative"));
  }
  for (const char* text : {"8Ei", "9223372036854775808", "9223372036854775807.1", "10E", "1e19",
                           "1e999999999999", "99999999999999999999Ki", "16Ei"}) {
    INFO(text);
    CHECK_THAT(ParseQuantity(text).error().message, Catch::Contains("too large"));
  }
}

TEST_CASE("bytes are written so that they read back the same") {
  const std::int64_t values[] = {0,
                                 1,
                                 1000,
                                 1023,
                                 1024,
                                 1536,
                                 1 << 20,
                                 3 << 20,
                                 kGibibyte,
                                 5 * kGibibyte / 2,
                                 std::int64_t{1} << 60,
                                 kMost};
  for (const std::int64_t value : values) CHECK(*ParseQuantity(FormatBytes(value)) == value);
  CHECK(FormatBytes(2 * kGibibyte) == "2Gi");
  CHECK(FormatBytes(2560 * kMebibyte) == "2560Mi");
  CHECK(FormatBytes(kMost) == "9223372036854775807");
  CHECK(FormatMebibytes(1) == "1Mi");
  CHECK(FormatMebibytes(kMebibyte) == "1Mi");
}

TEST_CASE("sums, products and rounding stop at the largest number") {
  CHECK(AddSaturating(kMost, 1) == kMost);
  CHECK(AddSaturating(2, 3) == 5);
  CHECK(MultiplySaturating(kMost / 2, 3) == kMost);
  CHECK(MultiplySaturating(7, 6) == 42);
  CHECK(RoundUpToMebibyte(1) == kMebibyte);
  CHECK(RoundUpToMebibyte(kMebibyte) == kMebibyte);
  CHECK(RoundUpToMebibyte(kMost) == kMost);
}

}  // namespace shm
