// What a person wants of tasks: how it is written down, when it makes sense, and how it is left for whoever is at work.
#include "bernstein/run/wishes.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "support/builders.hpp"
#include "support/temp_directory.hpp"

namespace bernstein::run {
namespace {

using namespace test;
using Kind = Wish::Kind;

Wish a_wish(Kind kind, std::uint32_t task) {
  return {kind, RunId{1}, t(task)};
}

std::string refusal(const World& world, Kind kind, std::uint32_t task) {
  const Result<Draft> draft = draft_of(world.state(), a_wish(kind, task));
  return draft ? "" : draft.error().message;
}

TEST(Wishes, HaveOneSpelling) {
  const Wish wish{Kind::retry, RunId{3}, t(12)};
  EXPECT_EQ(to_text(wish), R"({"kind":"retry","run":"r3","task":"t12","version":1})");
  EXPECT_EQ(parse_wish(to_text(wish)).value(), wish);
  for (const std::string text :
       {"", "{}", R"({"kind":"retry","run":"r3","task":"t12","version":2})",
        R"({"kind":"retry","run":"3","task":"t12","version":1})",
        R"({"kind":"merge","run":"r3","task":"t12","version":1})",
        R"({"kind":"retry","run":"r3","task":"t12","version":1} )", R"({"kind":"retry","run":"r3","task":"t12)"}) {
    const Result<Wish> read = parse_wish(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().message, "the request is not what this version of Bernstein writes");
  }
}

TEST(Wishes, OfATaskThatIsNotThereNameThoseThatAre) {
  World world;
  world.start({a_task(1), a_task(2)});
  EXPECT_EQ(refusal(world, Kind::retry, 7), "r1 has no task t7; its tasks are t1 to t2");
  const Result<Draft> other = draft_of(world.state(), {Kind::retry, RunId{2}, t(1)});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message, "Bernstein is at work on r1, not on r2");
}

TEST(Wishes, AnApprovalIsForWhatWaitsForOne) {
  RunConfig config = a_config();
  config.approve_merge = true;
  World world(config);
  world.start({a_task(1)});
  EXPECT_EQ(refusal(world, Kind::approve, 1),
            "t1 of r1 waits for no approval: it is running; `bernstein why r1/t1` tells more");
  world.works(at(1), {"a"});
  world.candidate_built(at(1));
  EXPECT_EQ(refusal(world, Kind::approve, 1), "");
  world.feed(*draft_of(world.state(), a_wish(Kind::approve, 1)));
  EXPECT_EQ(refusal(world, Kind::approve, 1), "") << "said twice it changes nothing";
}

TEST(Wishes, ARetryIsForWhatFailedAndNamesWhatToRetryInstead) {
  World world(ConfigBuilder().with_attempts(1));
  world.start({a_task(1), a_task(2).after(1), a_task(3).after(2)});
  EXPECT_EQ(refusal(world, Kind::retry, 1), "t1 of r1 has not failed: it is running; `bernstein why r1/t1` tells more");
  world.fails(at(1));
  EXPECT_EQ(refusal(world, Kind::retry, 3),
            "t3 of r1 is blocked by t1, which failed: `bernstein retry r1/t1`, and it follows by itself");
  EXPECT_EQ(refusal(world, Kind::retry, 1), "");
  EXPECT_EQ(draft_of(world.state(), a_wish(Kind::retry, 1))->body, EventBody(RetryWanted{}));
  world.feed({about(t(1)), RetryWanted{}});
  world.resumes();
  EXPECT_EQ(refusal(world, Kind::retry, 1), "t1 of r1 has not failed: it is running; `bernstein why r1/t1` tells more");
}

TEST(Wishes, AnUndoIsForWhatLandedAndOnce) {
  World world;
  world.start({a_task(1), a_task(2).after(1)});
  EXPECT_EQ(refusal(world, Kind::undo, 1), "t1 of r1 has not landed: it is running, and there is nothing to take back");
  world.lands(at(1));
  EXPECT_EQ(refusal(world, Kind::retry, 1),
            "t1 of r1 has landed, so there is nothing to try again; `bernstein undo r1/t1` takes it back");
  EXPECT_EQ(refusal(world, Kind::undo, 1), "");
  world.feed({about(t(1)), UndoWanted{}});
  EXPECT_EQ(refusal(world, Kind::undo, 1), "t3 is to take back t1 of r1 already");
}

TEST(Wishes, AnUndoKnowsWhatMayBuildOnIt) {
  World world;
  world.start({a_task(1), a_task(2).after(1), a_task(3).after(2), a_task(4)});
  for (std::uint32_t task : {1U, 2U, 3U}) world.lands(at(task));
  EXPECT_EQ(landed_dependents(world.state(), t(1)), (std::vector{t(2), t(3)}));
  EXPECT_EQ(landed_dependents(world.state(), t(3)), std::vector<TaskId>{});
}

TEST(Requests, AreReadInOrderAndAnswered) {
  const TempDirectory directory;
  const std::string sdd = directory.path().string();
  const std::string second = leave_request(sdd, "2", a_wish(Kind::undo, 2)).value();
  const std::string first = leave_request(sdd, "1", a_wish(Kind::retry, 1)).value();
  struct stat facts {};
  ASSERT_EQ(::stat((requests_directory(sdd) + "/" + first).c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_EQ(answer_to(sdd, first).kind, Answer::Kind::waiting);

  const std::vector<Request> requests = read_requests(sdd);
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].wish.value(), a_wish(Kind::retry, 1));
  EXPECT_EQ(requests[1].wish.value(), a_wish(Kind::undo, 2));
  answer_done(sdd, first);
  answer_refused(sdd, second, "there is nothing to take back");
  EXPECT_TRUE(read_requests(sdd).empty());
  EXPECT_EQ(answer_to(sdd, first).kind, Answer::Kind::done);
  const Answer refused = answer_to(sdd, second);
  EXPECT_EQ(refused.kind, Answer::Kind::refused);
  EXPECT_EQ(refused.why, "there is nothing to take back");
  EXPECT_TRUE(std::filesystem::is_empty(requests_directory(sdd)));
}

TEST(Requests, ThatAreWithdrawnAreNotTakenUp) {
  const TempDirectory directory;
  const std::string sdd = directory.path().string();
  const std::string request = leave_request(sdd, "1", a_wish(Kind::retry, 1)).value();
  EXPECT_TRUE(withdraw(sdd, request));
  EXPECT_FALSE(withdraw(sdd, request));
  EXPECT_TRUE(read_requests(sdd).empty());
}

TEST(Requests, FollowNoLinksAndHaveALimit) {
  const TempDirectory directory;
  const std::string sdd = directory.path().string();
  ASSERT_TRUE(make_requests_directory(sdd));
  const std::filesystem::path place = requests_directory(sdd);
  write_file(directory.path() / "elsewhere", to_text(a_wish(Kind::undo, 1)));
  std::filesystem::create_symlink(directory.path() / "elsewhere", place / "1.json");
  write_file(place / "2.json", std::string(k_request_bytes_max + 1, ' '));
  ASSERT_EQ(::mkfifo((place / "3.json").c_str(), 0600), 0);
  std::filesystem::create_directory(place / "4.json");
  write_file(place / "note.txt", "not for us");
  const std::vector<Request> requests = read_requests(sdd);
  ASSERT_EQ(requests.size(), 3U) << "a directory is none of ours";
  for (const Request& request : requests) {
    ASSERT_FALSE(request.wish) << request.name;
    EXPECT_EQ(request.wish.error().message, "the request is no file of ours");
    answer_refused(sdd, request.name, request.wish.error().message);
  }
  EXPECT_TRUE(read_requests(sdd).empty()) << "none of them is met again";
  EXPECT_TRUE(std::filesystem::exists(directory.path() / "elsewhere"));
}

TEST(Requests, AreNotLookedForBehindALink) {
  const TempDirectory directory;
  const std::string sdd = directory.path().string();
  std::filesystem::create_directory(directory.path() / "elsewhere");
  std::filesystem::create_directory_symlink(directory.path() / "elsewhere", requests_directory(sdd));
  EXPECT_FALSE(make_requests_directory(sdd));
  EXPECT_TRUE(read_requests(sdd).empty());
}

}  // namespace
}  // namespace bernstein::run
