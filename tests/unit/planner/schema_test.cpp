#include "bernstein/planner/schema.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

namespace bernstein::planner {
namespace {

using Json = nlohmann::json;

// What strict structured output asks of every schema in a schema.
void expect_strict(const Json& schema, int& objects) {
  ASSERT_TRUE(schema.is_object()) << schema;
  ASSERT_TRUE(schema.contains("type")) << schema;
  for (const char* word : {"oneOf", "anyOf", "allOf", "not", "if", "patternProperties", "minItems", "minimum"}) {
    ASSERT_FALSE(schema.contains(word)) << word;
  }
  if (schema["type"] == "object") {
    ++objects;
    ASSERT_EQ(schema.at("additionalProperties"), false);
    std::set<std::string> keys;
    for (const auto& [key, value] : schema.at("properties").items()) {
      keys.insert(key);
      ASSERT_NO_FATAL_FAILURE(expect_strict(value, objects)) << key;
    }
    ASSERT_EQ(schema.at("required").get<std::set<std::string>>(), keys);
    ASSERT_EQ(schema.at("required").size(), keys.size());
  }
  if (schema["type"] == "array") {
    ASSERT_NO_FATAL_FAILURE(expect_strict(schema.at("items"), objects));
  }
}

Json signal_of(const Json& schema) {
  return schema["properties"]["stages"]["items"]["properties"]["steps"]["items"]["properties"]["completion_signals"]
               ["items"]["properties"];
}

TEST(AnswerSchema, IsOneLineThatStrictStructuredOutputTakes) {
  for (const std::vector<std::string>& gates : {std::vector<std::string>{}, {"tests", "lint", "tests"}}) {
    const std::string text = answer_schema(gates, 40, SchemaStyle::strict);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    int objects = 0;
    ASSERT_NO_FATAL_FAILURE(expect_strict(Json::parse(text), objects));
    EXPECT_EQ(objects, 4) << "plan, stage, step, signal";
    EXPECT_NE(text.find("at most 40 in all stages together"), std::string::npos);
  }
}

TEST(AnswerSchema, GatesAreWordsToChooseFrom) {
  const Json with = signal_of(Json::parse(answer_schema({"tests", "lint", "tests"}, 5, SchemaStyle::strict)));
  EXPECT_EQ(with["type"]["enum"], Json({"path_exists", "glob_exists", "file_contains", "gate"}));
  EXPECT_EQ(with["name"]["enum"], Json({"", "tests", "lint"}));
  const Json without = signal_of(Json::parse(answer_schema({}, 5, SchemaStyle::strict)));
  EXPECT_EQ(without["type"]["enum"], Json({"path_exists", "glob_exists", "file_contains"}));
  EXPECT_FALSE(without.contains("name"));
}

TEST(AnswerSchema, HasNoRoomForWhatAPersonDecides) {
  const std::string text = answer_schema({"tests"}, 5, SchemaStyle::strict);
  for (const char* word :
       {"\"command\"", "test_passes", "\"cli\"", "\"model\"", "\"budget\"", "\"effort\"", "\"value\""}) {
    EXPECT_EQ(text.find(word), std::string::npos) << word;
  }
}

TEST(AnswerSchema, HoldsWhateverGatesAreCalled) {
  EXPECT_FALSE(Json::parse(answer_schema({"a\"b", "\xFF", "\n", "é"}, 5, SchemaStyle::strict)).empty());
  std::vector<std::string> gates;
  for (int i = 0; i < 1000; ++i) gates.push_back("gate" + std::to_string(i));
  EXPECT_FALSE(signal_of(Json::parse(answer_schema(gates, 5, SchemaStyle::strict)))["name"].contains("enum"));
}

}  // namespace
}  // namespace bernstein::planner
