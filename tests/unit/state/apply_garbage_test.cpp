// apply is total: whatever a broken or forged log brings, it is either a state or ErrorCode::corrupt, never an abort.
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <type_traits>

#include "bernstein/decide/decide.hpp"
#include "bernstein/state/apply.hpp"
#include "bernstein/state/invariants.hpp"
#include "support/builders.hpp"
#include "unit/event/samples.hpp"

namespace bernstein {
namespace {

using namespace test;

using Maker = EventBody (*)(RandomSource&);

template <class... T>
std::array<Maker, sizeof...(T)> makers_of(std::type_identity<std::variant<T...>>) {
  return {[](RandomSource& random) -> EventBody { return random_value<T>(random); }...};
}

class ApplyGarbage : public testing::TestWithParam<std::uint32_t> {
 protected:
  ApplyGarbage() : random_(GetParam()), source_(GetParam()) {}

  std::uint32_t below(std::size_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  // A log of a real run, cut at a random place.
  std::vector<Event> a_start_of_a_run() {
    World world(
        a_config().with_gate(a_command("tests")).with_budget(cents(1'000)).with_planner().with_attempts(1 + below(3)));
    if (below(2) == 0) {
      world.start_with_goal();
    } else {
      world.start({a_task(1).owning("a/"), a_task(2).after(1), a_task(3).in_stage(1).after_stage(0), a_task(4)});
    }
    world.run(
        [&](const RunState&, const OpenIntent& intent) -> std::optional<EventBody> {
          if (std::holds_alternative<PlanReadRequested>(intent.body) && below(3) == 0) return a_faulty_answer();
          if (!is_timer(intent.body) && below(6) == 0) {
            return EffectFailed{.class_ = static_cast<FailureClass>(below(4)),
                                .effect = std::string(type_of(intent.body))};
          }
          return world.success(intent);
        },
        [&](std::size_t open) { return below(open); });
    std::vector<Event> log = world.log();
    log.resize(1 + below(log.size()));
    return log;
  }

  Event a_wild_event(const RunState& state) {
    static const auto k_makers = makers_of(std::type_identity<EventBody>{});
    Seq cause = state.last_seq;
    Subject subject{TaskId{below(6)}, 0};
    if (subject.task.number != 0) subject.attempt = below(3);
    EventBody body = k_makers[below(k_makers.size())](source_);
    if (!state.open_intents.empty() && below(2) == 0) {
      auto open = std::next(state.open_intents.begin(), static_cast<std::ptrdiff_t>(below(state.open_intents.size())));
      cause = open->first;
      if (below(8) != 0) subject = open->second.subject;
      if (auto* failed = std::get_if<EffectFailed>(&body); failed != nullptr && below(4) != 0)
        failed->effect = type_of(open->second.body);
    }
    return {.seq = state.last_seq + 1 - (below(30) == 0 ? 1 : 0),
            .run = RunId{1},
            .run_seq = 1,
            .cause = cause,
            .subject = subject,
            .at_us = state.at_us,
            .body = std::move(body)};
  }

  std::mt19937 random_;
  RandomSource source_;
};

TEST_P(ApplyGarbage, IsTakenOrRefusedAndNeverAborts) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  std::vector<Event> log = a_start_of_a_run();
  auto fold = [&] {
    RunState state;
    for (const Event& event : log) EXPECT_TRUE(apply(state, event));
    return state;
  };
  RunState state = fold();
  int refused = 0;
  for (int step = 0; step < 120; ++step) {
    const Event event = a_wild_event(state);
    if (const Status applied = apply(state, event)) {
      log.push_back(event);
      broken_invariants(state);  // may be broken; must be told
      state_hash(state);
      open_question(state);
      for (const auto& [id, task] : state.tasks) has_landed(state, task);
    } else {
      ++refused;
      ASSERT_EQ(applied.error().code, ErrorCode::corrupt);
      ASSERT_EQ(applied.error().message.find("event " + std::to_string(event.seq) + " ("), 0U)
          << applied.error().message;
      state = fold();
    }
  }
  EXPECT_GT(refused, 0);
}

TEST_P(ApplyGarbage, BeforeAnythingElseOnlyARunCanStart) {
  for (int step = 0; step < 200; ++step) {
    RunState state;
    Event event = a_wild_event(state);
    auto* started = std::get_if<RunStarted>(&event.body);
    const bool has_sound_sums = step % 2 == 0;  // what was drawn for them hardly ever is
    if (started != nullptr && has_sound_sums) {
      started->policy.clear();
      started->config = a_config();
    }
    const Status applied = apply(state, event);
    const bool may_start = event.seq > 0 && started != nullptr;
    if (has_sound_sums || !may_start) {
      EXPECT_EQ(applied.has_value(), may_start);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ApplyGarbage, testing::Range(1U, 13U));

}  // namespace
}  // namespace bernstein
