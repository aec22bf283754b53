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

TEST(Usage, APlaceMayBeASumOfPointers) {
  const UsageSpec with_cached{.cached_tokens = "/cached",
                              .format = "jsonl",
                              .input_tokens = "/in - /cached + /written",
                              .output_tokens = "/out"};
  const Usage usage = read_usage(with_cached, R"({"in":100,"cached":40,"written":5,"out":7})");
  EXPECT_EQ(usage.input_tokens, 65);
  EXPECT_EQ(usage.cached_tokens, 40);
  // Of a sum what is there counts; one that cannot be true is unknown.
  EXPECT_EQ(read_usage(with_cached, R"({"in":100})").input_tokens, 100);
  EXPECT_EQ(read_usage(with_cached, R"({"in":10,"cached":40})").input_tokens, std::nullopt);
  EXPECT_EQ(read_usage(with_cached, R"({"in":"many","cached":40})").input_tokens, std::nullopt);
}

TEST(Usage, AStarStandsForAllMembers) {
  const UsageSpec by_model{
      .format = "json", .input_tokens = "/models/*/usage/in", .output_tokens = "/models/*/usage/out"};
  const Usage usage =
      read_usage(by_model, R"({"models":{"a":{"usage":{"in":1,"out":2}},"b":{"usage":{"in":10,"out":20}}}})");
  EXPECT_EQ(usage.input_tokens, 11);
  EXPECT_EQ(usage.output_tokens, 22);
}

TEST(Usage, LinesThatFitMayBeAddedUp) {
  UsageSpec spec{
      .cost_usd = "/cost", .format = "jsonl", .input_tokens = "/in", .sum = true, .when = {{"/type", "step"}}};
  const std::string lines =
      "{\"type\":\"step\",\"in\":1,\"cost\":0.5}\n{\"type\":\"other\",\"in\":100}\n{\"type\":\"step\",\"in\":2,"
      "\"cost\":0.25}\n";
  EXPECT_EQ(read_usage(spec, lines).input_tokens, 3);
  EXPECT_EQ(read_usage(spec, lines).cost_micros, UsdMicros{750'000});
  spec.sum = false;
  EXPECT_EQ(read_usage(spec, lines).input_tokens, 2) << "the last line";
}

TEST(Usage, ASumOfCostsIsRoundedOnce) {
  const UsageSpec spec{.cost_usd = "/cost", .format = "jsonl", .sum = true};
  const auto sum = [&](const std::string& cost) {
    return read_usage(spec, line(cost) + line(cost) + line(cost) + line(cost)).cost_micros;
  };
  EXPECT_EQ(sum("0.00153434"), UsdMicros{6137}) << "each is 1534.34";
  EXPECT_EQ(sum("0.0016117"), UsdMicros{6447}) << "each is 1611.7";
  EXPECT_EQ(sum("4e-7"), UsdMicros{2});
  EXPECT_EQ(sum("300000"), std::nullopt) << "no cost is as large";
}

TEST(Usage, ALineWithoutANumberMakesTheSumUnknown) {
  const UsageSpec spec{.format = "jsonl", .input_tokens = "/in", .output_tokens = "/out", .sum = true};
  const Usage usage = read_usage(spec, "{\"in\":1,\"out\":5}\n{\"in\":2}\n");
  EXPECT_EQ(usage.input_tokens, 3);
  EXPECT_EQ(usage.output_tokens, std::nullopt);
}

TEST(Usage, ACostIsComputedFromThePricesOfAMillionTokensAndRoundedUp) {
  const TokenPrice price{.cached = UsdMicros{100'000}, .input = UsdMicros{1'000'000}, .output = UsdMicros{5'000'000}};
  EXPECT_EQ(agent::cost_of(Usage{.cached_tokens = 10, .input_tokens = 100, .output_tokens = 7}, price), UsdMicros{136});
  EXPECT_EQ(agent::cost_of(Usage{.input_tokens = 100}, price), std::nullopt) << "not all is known";
  EXPECT_EQ(agent::cost_of(Usage{.input_tokens = k_tokens_max, .output_tokens = k_tokens_max},
                           TokenPrice{.input = k_cost_max, .output = k_cost_max}),
            std::nullopt)
      << "no cost is as large";
}

}  // namespace
}  // namespace bernstein::agent
