#include "bernstein/agent/usage.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "bernstein/base/units.hpp"

namespace bernstein::agent {
namespace {

UsageSpec spec(const std::string& format) {
  return {.cached_tokens = "/usage/cached",
          .cost_usd = "/cost",
          .format = format,
          .input_tokens = "/usage/in",
          .output_tokens = "/usage/out"};
}
std::string line(const std::string& cost) {
  return R"({"cost":)" + cost + "}\n";
}
std::optional<std::int64_t> cost_of(const std::string& cost) {
  const auto micros = read_usage(spec("jsonl"), line(cost)).cost_micros;
  return micros ? std::optional(micros->value) : std::nullopt;
}
std::optional<std::int64_t> input_of(const std::string& input) {
  return read_usage(spec("jsonl"), R"({"cost":1,"usage":{"in":)" + input + "}}").input_tokens;
}

TEST(Usage, ReadsAllFourFromALine) {
  const Usage usage = read_usage(spec("jsonl"), R"({"usage":{"in":1200,"out":340,"cached":7},"cost":0.0042})");

  EXPECT_EQ(usage,
            (Usage{.cached_tokens = 7, .cost_micros = UsdMicros{4200}, .input_tokens = 1200, .output_tokens = 340}));
}

TEST(Usage, TakesTheLastLineThatHasAnyOfThePointers) {
  const Usage usage = read_usage(spec("jsonl"),
                                 "starting\n"
                                 R"({"usage":{"in":1,"out":2},"cost":1})"
                                 "\n"
                                 R"({"usage":{"in":30}})"
                                 "\r\n"
                                 R"({"type":"done"})"
                                 "\n"
                                 R"({"usage":{"in":null}})"
                                 "\n"
                                 R"({"usage":{"in":99})"
                                 "\n"
                                 "[1,2]\nbye\n\n");

  EXPECT_EQ(usage, (Usage{.cached_tokens = {}, .cost_micros = {}, .input_tokens = 30, .output_tokens = {}}));
}

TEST(Usage, IsUnknownWithoutFormatPointersOrOutput) {
  const std::string output = R"({"usage":{"in":1},"cost":1})";
  EXPECT_EQ(read_usage(spec(""), output), Usage{});
  EXPECT_EQ(read_usage({.format = "jsonl"}, output), Usage{});
  EXPECT_EQ(read_usage({.cost_usd = "no pointer", .format = "jsonl", .input_tokens = "/a~b"}, output), Usage{});
  EXPECT_EQ(read_usage(spec("jsonl"), ""), Usage{});
  EXPECT_EQ(read_usage(spec("json"), ""), Usage{});
}

TEST(Usage, IsUnknownWhenANumberOfTokensIsNoCount) {
  EXPECT_EQ(input_of("12"), 12);
  EXPECT_EQ(input_of("0"), 0);
  EXPECT_EQ(input_of("1000000000000"), k_tokens_max);
  for (const char* wrong : {"-1", "1.0", "1e3", "1000000000001", "18446744073709551616", "\"12\"", "true", "[1]"}) {
    EXPECT_EQ(input_of(wrong), std::nullopt) << wrong;
  }
}

TEST(Usage, ReadsACostFromItsDecimalDigits) {
  EXPECT_EQ(cost_of("0"), 0);
  EXPECT_EQ(cost_of("3"), 3'000'000);
  EXPECT_EQ(cost_of("0.1"), 100'000);
  EXPECT_EQ(cost_of("0.123456"), 123'456);
  EXPECT_EQ(cost_of("\"0.0123\""), 12'300);
  EXPECT_EQ(cost_of("\" $1.5 \""), 1'500'000);
  EXPECT_EQ(cost_of("4.2e-05"), 42);
  EXPECT_EQ(cost_of("1.5e2"), 150'000'000);
  EXPECT_EQ(cost_of("1000000"), 1'000'000'000'000);
}

TEST(Usage, RoundsACostHalfUp) {
  // 1.0000005 as a double is below its decimal digits, 0.0000015 above: the digits decide.
  EXPECT_EQ(cost_of("1.0000005"), 1'000'001);
  EXPECT_EQ(cost_of("0.0000015"), 2);
  EXPECT_EQ(cost_of("0.0000025"), 3);
  EXPECT_EQ(cost_of("0.00000049"), 0);
  EXPECT_EQ(cost_of("5e-7"), 1);
  EXPECT_EQ(cost_of("4.9e-7"), 0);
  EXPECT_EQ(cost_of("5e-8"), 0);
  EXPECT_EQ(cost_of("9e-300"), 0);
  EXPECT_EQ(cost_of("\"0.12345649999999999999999999\""), 123'456);
  EXPECT_EQ(cost_of("\"0.1234565\""), 123'457);
}

TEST(Usage, IsUnknownWhenACostCannotBe) {
  for (const char* wrong :
       {"-0.5", "1000000.1", "1e9", "1e300", "\"1e999999999\"", "\"1e9999999999\"", "\"\"", "\"free\"", "\"1.\"",
        "\".5\"", "\"1.5 USD\"", "\"0x10\"", "\"1e\"", "\"-1\"", "\"1,5\"", "null", "true", "{}", "[0.5]"}) {
    EXPECT_EQ(cost_of(wrong), std::nullopt) << wrong;
  }
}

TEST(Usage, ReadsTheLastDocumentAmongOtherOutput) {
  const std::string output =
      "warning: {not json\n"
      "{\"usage\": {\"in\": 1}}\n"
      "{\n  \"text\": \"a brace } and a \\\" quote\",\n  \"usage\": {\n    \"in\": 5\n  },\n  \"cost\": 0.25\n}\n"
      "{\"level\": \"info\", \"message\": \"bye\"}\n"
      "{ cut\n";

  EXPECT_EQ(read_usage(spec("json"), output),
            (Usage{.cached_tokens = {}, .cost_micros = UsdMicros{250'000}, .input_tokens = 5, .output_tokens = {}}));
}

TEST(Usage, FollowsPointersIntoLists) {
  const UsageSpec list{.format = "json", .input_tokens = "/1/in", .output_tokens = "/-/out"};
  const Usage usage = read_usage(list, R"([{"in":1},{"in":2,"out":3}])");
  EXPECT_EQ(usage.input_tokens, 2);
  EXPECT_EQ(usage.output_tokens, std::nullopt);
}

TEST(Usage, IsReadFromOutputThatIsNoUtf8) {
  const std::string garbage("\xFF\xFE\0\x80{\n", 6);
  EXPECT_EQ(read_usage(spec("jsonl"), garbage + "{\"text\":\"caf\xE9\",\"cost\":2}\n" + garbage).cost_micros,
            UsdMicros{2'000'000});
  EXPECT_EQ(read_usage(spec("json"), garbage + "{\"text\":\"caf\xE9\",\"cost\":2}\n" + garbage).cost_micros,
            UsdMicros{2'000'000});
}

TEST(Usage, SurvivesDeepNestingAndManyBrokenDocuments) {
  EXPECT_EQ(read_usage(spec("json"), std::string(100'000, '[')), Usage{});
  EXPECT_EQ(read_usage(spec("jsonl"), "{\"a\":" + std::string(100'000, '[')), Usage{});
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "{\"a\":\n";
  EXPECT_EQ(read_usage(spec("json"), many), Usage{});
  EXPECT_EQ(read_usage(spec("jsonl"), many), Usage{});
}

TEST(Usage, LooksAtTheEndOfALongOutputOnly) {
  const std::string filler(k_usage_output_bytes_max, '\n');
  EXPECT_EQ(read_usage(spec("jsonl"), line("1") + filler), Usage{});
  EXPECT_EQ(read_usage(spec("jsonl"), filler + line("1")).cost_micros, UsdMicros{1'000'000});
}

}  // namespace
}  // namespace bernstein::agent
