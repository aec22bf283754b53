#include "small_story.hpp"

#include "bernstein/base/check.hpp"
#include "bernstein/event/codec.hpp"

namespace bernstein::test {

std::vector<Record> sealed(const std::vector<Event>& events, RunId run, const port::LogHead& before) {
  std::vector<Record> records;
  Digest prev = run_genesis(run, before.last_hash);
  for (Event event : events) {
    event.seq += before.last_seq;
    if (event.cause != 0) event.cause += before.last_seq;
    event.run = run;
    Record record = to_record(event);
    record.prev_hash = prev;
    record.hash = chain_hash(record);
    prev = record.hash;
    records.push_back(std::move(record));
  }
  return records;
}

World small_story(const std::string& check_output) {
  World world(a_config().with_agents(2).with_attempts(2).with_gate(a_command("tests")));
  RunStarted started = a_start(a_config().with_agents(2).with_attempts(2).with_gate(a_command("tests")));
  started.goal = "Rate limiting";
  world.feed({about_run(), started});
  TaskSpec middleware = a_task(1).titled("Middleware").owning("src/limit/");
  middleware.key = "middleware";
  world.feed({about_run(), a_plan({middleware, a_task(2).titled("Routes").owning("src/routes/"),
                                   a_task(3).titled("Docs").owning("docs/"), a_task(4).titled("Release").after(3)})});
  world.lands(at(1));

  world.works(at(2), {"src/routes/a.cpp"});
  world.candidate_built(at(2));
  const Seq check = world.open<CheckRequested>(at(2));
  const auto& request = std::get<CheckRequested>(world.state().open_intents.at(check).body);
  world.feed({about(at(2)), CheckFinished{.duration_us = 3 * k_second,
                                          .exit_code = 1,
                                          .name = "tests",
                                          .output = check_output,
                                          .tree = request.tree,
                                          .verdict = CheckVerdict::failed,
                                          .why = "exit 1"}},
             check);
  world.removed(at(2));
  world.fails(at(3));

  world.worktree_ready(at(2, 2));
  world.agent_exits(at(2, 2), 0, std::nullopt);
  world.captured(at(2, 2), {"src/routes/a.cpp"});
  world.candidate_built(at(2, 2));
  world.check_passes(at(2, 2));
  world.merged(at(2, 2));
  world.answer<CheckoutSyncRequested>(
      at(2, 2), CheckoutSynced{.detail = "README.md has uncommitted changes", .outcome = SyncOutcome::left_alone});
  world.removed(at(2, 2));

  world.worktree_ready(at(3, 2));
  world.agent_exits(at(3, 2), 7);
  world.captured(at(3, 2), {"docs/limits.md"});
  world.removed(at(3, 2));
  BERNSTEIN_CHECK(world.finished(), "the story has an end");
  return world;
}

}  // namespace bernstein::test
