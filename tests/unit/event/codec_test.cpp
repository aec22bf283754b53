#include "bernstein/event/codec.hpp"

#include <gtest/gtest.h>

#include "unit/event/samples.hpp"

namespace bernstein {
namespace {

using test::for_each_type;
using test::random_value;
using test::RandomSource;

// What decoding says about a payload that it refuses.
std::string refusal(std::string_view type, std::string_view payload, int version = 1) {
  const Result<EventBody> body = decode(type, version, payload);
  if (body) return "accepted as " + encode(*body);
  EXPECT_EQ(body.error().code, ErrorCode::corrupt);
  return body.error().message;
}

constexpr std::string_view k_exited =
    R"({"cost_source":"reported","duration_us":12,"exit_code":-1,"message":"","outcome":"done","output":"",)"
    R"("output_bytes":0,"retry_after_us":null,"session":"","stalled":false,"stopped":false,"timed_out":true,"usage":{"cached_tokens":null,"cost_micros":1500000,"input_tokens":7,"output_tokens":null},"why":""})";

// The names of a struct's fields must ascend, in itself and in all that it holds.
struct OrderOfKeys {
  std::string path;
  template <class T>
  void check() const {
    if constexpr (canonical::k_is_optional<T> || canonical::k_is_vector<T>) {
      check<typename T::value_type>();
    } else if constexpr (canonical::k_is_map<T>) {
      check<typename T::mapped_type>();
    } else if constexpr (std::is_class_v<T> && !std::is_same_v<T, std::string> && !std::is_same_v<T, UsdMicros> &&
                         !std::is_same_v<T, TaskId>) {
      std::string before;
      T value;
      T::fields(value, [&](std::string_view name, auto& member) {
        EXPECT_LT(before, name) << "in " << path;
        before = name;
        OrderOfKeys{path + "." + before}.template check<std::remove_reference_t<decltype(member)>>();
      });
    }
  }
};

TEST(Codec, WritesKeysInOrderWithoutSpaces) {
  AgentExited exited{.cost_source = CostSource::reported, .duration_us = 12, .exit_code = -1, .timed_out = true};
  exited.usage = {.cost_micros = UsdMicros{1'500'000}, .input_tokens = 7};
  EXPECT_EQ(encode(exited), k_exited);
  EXPECT_EQ(encode(WorktreeReady{}), R"({"setup":"none"})");
  EXPECT_EQ(encode(TaskBlocked{.by = TaskId{4}, .why = "t4 failed"}), R"({"by":"t4","why":"t4 failed"})");
  EXPECT_EQ(encode(PathsGranted{.paths = {"a", "b"}}), R"({"paths":["a","b"],"why":""})");
  EXPECT_EQ(encode(RouteChosen{.features = {{"b", 2}, {"a", -1}}, .rule = "pin"}),
            R"({"arm":{"agent":"","model":"","tier":""},"excluded":{},"features":{"a":-1,"b":2},"floor":"","pin":"",)"
            R"("preferred":"","probabilities_ppm":{},"rule":"pin","rules":1,"scores":{},"why":""})");
}

TEST(Codec, WritesTextAsRfc8785Says) {
  EXPECT_EQ(encode(TaskReadied{.why = "\b\t\n\f\r\"\\/\x01\x1f\x7f\u00e9\U0001F600"}),
            R"({"why":"\b\t\n\f\r\"\\/\u0001\u001f)"
            "\x7f\u00e9\U0001F600\"}");
  EXPECT_EQ(encode(TaskReadied{.why = std::string("a\0b", 3)}), R"({"why":"a\u0000b"})");
}

TEST(Codec, KeysOfEveryEventAscend) {
  for_each_type([]<class T>() { OrderOfKeys{std::string(T::type)}.check<T>(); });
}

TEST(Codec, ReadsBackWhatItWroteForEveryType) {
  constexpr std::uint64_t k_seed = 20240229;
  SCOPED_TRACE("seed " + std::to_string(k_seed));
  RandomSource random(k_seed);
  for_each_type([&]<class T>() {
    for (int round = 0; round < 200; ++round) {
      const EventBody body = random_value<T>(random);
      const std::string payload = encode(body);
      const Result<EventBody> read = decode(T::type, T::version, payload);
      ASSERT_TRUE(read) << read.error().message << "\n" << payload;
      ASSERT_EQ(*read, body) << payload;
      ASSERT_EQ(encode(*read), payload);
    }
  });
}

TEST(Codec, EveryTypeRefusesThePayloadOfNothing) {
  for_each_type([]<class T>() {
    EXPECT_FALSE(decode(T::type, T::version, "")) << T::type;
    EXPECT_FALSE(decode(T::type, T::version, "null")) << T::type;
    EXPECT_FALSE(decode(T::type, T::version, "{\"zz\":1}")) << T::type;
  });
}

TEST(Codec, NamesTypeAndVersionThatItDoesNotKnow) {
  EXPECT_EQ(refusal("TaskDreamt", "{}"),
            "unknown event type 'TaskDreamt' in version 1; a newer Bernstein may have written it: use that one");
  EXPECT_EQ(refusal("TaskReadied", R"({"why":""})", 2),
            "unknown event type 'TaskReadied' in version 2; a newer Bernstein may have written it: use that one");
  EXPECT_EQ(refusal("", "{}", 0),
            "unknown event type '' in version 0; a newer Bernstein may have written it: use that one");
}

TEST(Codec, SaysWhereAPayloadIsWrong) {
  EXPECT_EQ(refusal("TaskReadied", R"({"what":"x"})"),
            "the payload of a TaskReadied (version 1) is not what Bernstein writes, at byte 1: expected the key 'why'");
  EXPECT_EQ(refusal("TaskReadied", R"({"why":"x"} )"),
            "the payload of a TaskReadied (version 1) is not what Bernstein writes, at byte 11: expected the end");
  EXPECT_EQ(
      refusal("StopRequested", R"({"mode":"later","reason":""})"),
      "the payload of a StopRequested (version 1) is not what Bernstein writes, at byte 9: expected a word of its "
      "enum");
}

TEST(Codec, RefusesOtherSpellingsOfTheSameValue) {
  for (const char* why : {R"("\/")", R"("\u0041")", R"("\u000a")", R"("\u001F")", R"("\u00e9")", R"("\ud83d\ude00")",
                          "\"\n\"", R"("\x")", R"("\)", R"("\u00)", R"("a)", "1", "null"}) {
    EXPECT_FALSE(decode("TaskReadied", 1, std::string("{\"why\":") + why + "}")) << why;
  }
  for (const char* pid : {"01", "-0", "+1", "1.0", "1e3", "\"1\"", "-", "", "9007199254740992", "-9007199254740992",
                          "99999999999999999999999", " 1", "null", "true"}) {
    EXPECT_FALSE(decode("AgentStarted", 1, std::string("{\"pid\":") + pid + ",\"prompt\":\"\",\"sandbox\":\"off\"}"))
        << pid;
  }
  for (const char* by : {"t01", "4", "T4", "t-1", "t", "t4294967296", "t4.2", ""}) {
    EXPECT_FALSE(decode("TaskBlocked", 1, std::string("{\"by\":\"") + by + "\",\"why\":\"\"}")) << by;
  }
  for (const char* payload : {R"({"paths":["a",],"why":""})", R"({"paths":["a" "b"],"why":""})",
                              R"({"paths":[,],"why":""})", R"({"paths":["a","why":""})", R"({"why":"","paths":[]})",
                              R"({"paths":[]})", R"({"paths":[],"why":"","why":""})", R"({"paths":[], "why":""})"}) {
    EXPECT_FALSE(decode("PathsGranted", 1, payload)) << payload;
  }
}

TEST(Codec, RefusesMapKeysThatDoNotAscend) {
  const auto with_features = [](const std::string& features) {
    return R"({"arm":{"agent":"","model":"","tier":""},"excluded":{},"features":)" + features +
           R"(,"floor":"","pin":"","preferred":"","probabilities_ppm":{},"rule":"","rules":1,"scores":{},"why":""})";
  };
  EXPECT_TRUE(decode("RouteChosen", 1, with_features(R"({"a":1,"b":2})")));
  EXPECT_FALSE(decode("RouteChosen", 1, with_features(R"({"b":1,"a":2})")));
  EXPECT_FALSE(decode("RouteChosen", 1, with_features(R"({"a":1,"a":2})")));
  EXPECT_FALSE(decode("RouteChosen", 1, with_features(R"({"a":1,})")));
}

TEST(Codec, RefusesNumbersThatTheFieldCannotHold) {
  EXPECT_FALSE(decode("RunFinished", 1, R"({"failed":-1,"landed":0,"outcome":"landed","why":""})"));
  EXPECT_FALSE(decode("RunFinished", 1, R"({"failed":4294967296,"landed":0,"outcome":"landed","why":""})"));
  EXPECT_TRUE(decode("RunFinished", 1, R"({"failed":4294967295,"landed":0,"outcome":"landed","why":""})"));
  EXPECT_TRUE(decode("AgentStarted", 1, R"({"pid":-9007199254740991,"prompt":"","sandbox":"off"})"));
}

TEST(Codec, RefusesTextThatIsNotUtf8) {
  for (const char* bytes : {"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80", "\xe2\x82"}) {
    EXPECT_EQ(refusal("TaskReadied", std::string("{\"why\":\"") + bytes + "\"}"),
              "the payload of a TaskReadied (version 1) is not what Bernstein writes, at byte 8: expected UTF-8");
  }
}

TEST(Codec, RefusesAMillionBracketsWithoutDescending) {
  EXPECT_FALSE(decode("PathsGranted", 1, "{\"paths\":" + std::string(1'000'000, '[')));
}

TEST(CodecDeathTest, WritingWhatJsonCannotHoldIsABrokenPromise) {
  EXPECT_DEATH(encode(TaskReadied{.why = "\xff"}), "stored text is UTF-8");
  EXPECT_DEATH(encode(AgentStarted{.pid = std::int64_t{1} << 53}), "below 2\\^53");
  EXPECT_DEATH(encode(RunStarted{.seed = ~std::uint64_t{0}}), "below 2\\^53");
  EXPECT_DEATH(encode(StopRequested{.mode = StopMode::count_}), "one of its words");
}

TEST(Codec, TurnsEventsIntoRecordsAndBack) {
  const Event event{.seq = 9,
                    .run = RunId{2},
                    .run_seq = 3,
                    .cause = 8,
                    .subject = about(AttemptId{TaskId{4}, 2}),
                    .at_us = 5,
                    .wall_us = 6,
                    .body = TaskBlocked{.by = TaskId{1}, .why = "t1 failed"}};
  const Record record = to_record(event);
  EXPECT_EQ(record, (Record{.seq = 9,
                            .run = RunId{2},
                            .run_seq = 3,
                            .kind = Kind::decision,
                            .type = "TaskBlocked",
                            .version = 1,
                            .cause = 8,
                            .subject = "t4.2",
                            .at_us = 5,
                            .wall_us = 6,
                            .payload = R"({"by":"t1","why":"t1 failed"})"}));
  const Result<Event> back = to_event(record);
  ASSERT_TRUE(back);
  EXPECT_EQ(to_record(*back), record);
  EXPECT_EQ(back->body, event.body);
}

TEST(Codec, NamesTheRecordThatIsNotAnEvent) {
  const Record good = to_record(Event{.seq = 9, .run = RunId{1}, .run_seq = 1, .body = TaskReadied{.why = "x"}});
  const auto complaint = [](const Record& record) {
    const Result<Event> event = to_event(record);
    return event ? std::string("accepted") : event.error().message;
  };
  ASSERT_EQ(complaint(good), "accepted");

  Record bad = good;
  bad.subject = "t04";
  EXPECT_EQ(complaint(bad), "event 9: 't04' is not a subject such as run, t4 or t4.2");
  bad = good;
  bad.kind = Kind::input;
  EXPECT_EQ(complaint(bad), "event 9: a TaskReadied is of kind decision, not input");
  bad = good;
  bad.version = 7;
  EXPECT_EQ(
      complaint(bad),
      "event 9: unknown event type 'TaskReadied' in version 7; a newer Bernstein may have written it: use that one");
}

}  // namespace
}  // namespace bernstein
