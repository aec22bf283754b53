// The files of a control directory.
#include "proc/control.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "proc/control_json.hpp"
#include "support/temp_directory.hpp"

namespace bernstein::proc {
namespace {

Order an_order() {
  return {.process = {.argv = {"/bin/sh", "-c", "echo \"ä\"\n", "\xff\xfe", ""},
                      .wrapper = {"/bin/box", "\xfe"},
                      .env = {{"PATH", "/bin"}, {"NAME", "b\xff"}, {"EMPTY", ""}, {"LINES", "a\nb=c"}},
                      .directory = "/w\xf6rk",
                      .stdin_text = {},
                      .output_path = "/tmp/out",
                      .secrets = {{"KEY", "k\xff"}},
                      .output_bytes_max = 1'000,
                      .timeout_us = 5,
                      .grace_us = 6},
          .supervise = {.control_directory = {},
                        .lock_path = "/lock",
                        .orphan_limit_us = 7,
                        .processes_max = 8,
                        .file_bytes_max = 9,
                        .no_progress_us = 10,
                        .watched = {"/w\xf6rk", "/r"}}};
}

port::ProcessExit an_exit() {
  return {.exit_code = 143,
          .signal = 15,
          .timed_out = true,
          .stopped = true,
          .duration_us = 12,
          .output_bytes = 34,
          .stalled = true,
          .started = false,
          .orphaned = true,
          .lost = false,
          .error = "cannot start 'x': why not"};
}

TEST(ControlJson, KeepsEveryByteOfACommandAlsoThoseThatAreNoText) {
  const Result<Order> read = order_from_json(write_json(an_order()), "spec.json");

  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(write_json(*read), write_json(an_order()));
  EXPECT_EQ(read->process.argv, an_order().process.argv);
  EXPECT_EQ(read->process.wrapper, an_order().process.wrapper);
  EXPECT_EQ(read->process.env, an_order().process.env);
  EXPECT_EQ(read->process.directory, an_order().process.directory);
  EXPECT_EQ(read->process.output_path, "/tmp/out");
  EXPECT_EQ(read->process.output_bytes_max, 1'000);
  EXPECT_EQ(read->process.timeout_us, 5);
  EXPECT_EQ(read->process.grace_us, 6);
  EXPECT_EQ(read->supervise.lock_path, "/lock");
  EXPECT_EQ(read->supervise.orphan_limit_us, 7);
  EXPECT_EQ(read->supervise.processes_max, 8);
  EXPECT_EQ(read->supervise.file_bytes_max, 9);
  EXPECT_EQ(read->process.secrets, an_order().process.secrets);
  EXPECT_EQ(read->supervise.no_progress_us, 10);
  EXPECT_EQ(read->supervise.watched, an_order().supervise.watched);
}

TEST(ControlJson, RefusesEverySpecificationThatIsCutShort) {
  const std::string whole = write_json(an_order());
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    const Result<Order> read = order_from_json(whole.substr(0, size), "/c/spec.json");
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().code, ErrorCode::corrupt);
    EXPECT_EQ(read.error().message.substr(0, 45), "/c/spec.json is no specification of a command") << size;
  }
}

TEST(ControlJson, RefusesValuesThatNoOrderHas) {
  const std::string whole = write_json(an_order());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = whole;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const std::string& text :
       {with("\"timeout_us\":5", "\"timeout_us\":-5"), with("\"timeout_us\":5", "\"timeout_us\":5.5"),
        with("\"timeout_us\":5", "\"timeout_us\":18446744073709551615"),
        with("\"timeout_us\":5", "\"timeout_us\":\"5\""), with("\"/tmp/out\"", "\"tmp/out\""),
        with("\"/tmp/out\"", "\"\""), with("\"/tmp/out\"", "null"), with("\"fffe\"", "\"fff\""),
        with("\"fffe\"", "\"fffx\""), with("[\"EMPTY\",\"\"]", "[\"EMPTY\"]"), with("[\"EMPTY\",\"\"]", "\"EMPTY\""),
        std::string("[]"), std::string("null"), std::string(200'000, '[')}) {
    EXPECT_FALSE(order_from_json(text, "spec.json")) << text.substr(0, 1'000);
  }
  Order nothing = an_order();
  nothing.process.argv.clear();
  EXPECT_FALSE(order_from_json(write_json(nothing), "spec.json"));
}

TEST(ControlJson, KeepsAnEndAndTakesNothingForOneThatIsCutShort) {
  const std::string whole = write_json(an_exit());
  EXPECT_EQ(exit_from_json(whole), an_exit());
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) EXPECT_FALSE(exit_from_json(whole.substr(0, size)));
  EXPECT_FALSE(exit_from_json("{}"));
}

TEST(ControlJson, CleansAnErrorThatNamesBytesWhichAreNoText) {
  port::ProcessExit exit = an_exit();
  exit.error = "cannot start '\xff'";
  EXPECT_EQ(exit_from_json(write_json(exit))->error, "cannot start '\xef\xbf\xbd'");
}

TEST(Identity, OfAProcessIsTheSameEachTimeAndOfNobodyNothing) {
  const std::optional<Identity> self = identity_of(::getpid());
  ASSERT_TRUE(self);
  EXPECT_EQ(self->pid, ::getpid());
  EXPECT_GT(self->start_ticks, 0);
  EXPECT_EQ(self->boot_id.size(), 36U);
  EXPECT_EQ(identity_of(::getpid()), self);
  EXPECT_EQ(identity_from_json(write_json(*self)), self);
  EXPECT_FALSE(identity_of(1 << 30));
}

TEST(Control, IsPreparedForItsOwnerAlone) {
  const test::TempDirectory place;
  Order order = an_order();
  order.process.stdin_text = "words";
  order.supervise.control_directory = place.path() / "control";

  ASSERT_TRUE(prepare_control(order));

  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(place.path() / "control").permissions(), perms::owner_all);
  EXPECT_EQ(std::filesystem::status(place.path() / "control/spec.json").permissions(),
            perms::owner_read | perms::owner_write);
  EXPECT_EQ(test::read_file(place.path() / "control/stdin"), "words");
  EXPECT_EQ(read_order(place.path() / "control")->process.argv, an_order().process.argv);
}

TEST(Control, IsMadeOnce) {
  const test::TempDirectory place;
  const std::string directory = place.path();
  ASSERT_TRUE(claim_control(directory, {"boot", 7, 8}));

  const Status again = claim_control(directory, {"boot", 9, 10});

  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::conflict);
  EXPECT_EQ(again.error().message, "the control directory " + directory + " was used before; take a new one");
  EXPECT_EQ(read_started(directory), (Identity{"boot", 7, 8}));
  EXPECT_FALSE(std::filesystem::exists(directory + "/started.json.tmp"));
}

TEST(Control, ReplacesAnUnfinishedEndAndNeverShowsIt) {
  const test::TempDirectory place;
  test::write_file(place.path() / "exit.json.tmp", "{\"exit_co");
  EXPECT_FALSE(read_exit(place.path()));

  ASSERT_TRUE(write_exit(place.path(), an_exit()));

  EXPECT_EQ(read_exit(place.path()), an_exit());
}

TEST(Control, KeepsAWarningUntilItIsTakenBack) {
  const test::TempDirectory place;
  EXPECT_EQ(read_stall(place.path()), 0);
  write_stall(place.path(), 150 * k_second);
  EXPECT_EQ(read_stall(place.path()), 150 * k_second);
  remove_stall(place.path());
  EXPECT_EQ(read_stall(place.path()), 0);
  test::write_file(place.path() / "stalled.json", "{\"silent_us\":");
  EXPECT_EQ(read_stall(place.path()), 0);
}

// Its environment may hold keys, and it was killed before anybody read it.
TEST(Control, AnAdopterLeavesNoOrderBehindThatNobodyRead) {
  const test::TempDirectory place;
  Order order = an_order();
  order.process.stdin_text = "words";
  order.supervise.control_directory = place.path() / "control";
  ASSERT_TRUE(prepare_control(order));

  EXPECT_EQ(*examine_control(place.path() / "control"), port::Reactor::Adopted::State::never_started);

  EXPECT_FALSE(std::filesystem::exists(place.path() / "control/spec.json"));
  EXPECT_FALSE(std::filesystem::exists(place.path() / "control/stdin"));
}

TEST(Control, TakesNoOtherFileForItsFifo) {
  const test::TempDirectory place;
  test::write_file(place.path() / "control", "");
  const Result<Fd> opened = open_control(place.path());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message, (place.path() / "control").string() + " is no FIFO; remove it");
}

}  // namespace
}  // namespace bernstein::proc
