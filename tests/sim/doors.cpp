#include "doors.hpp"

namespace bernstein::sim {
namespace {

// A run of a few tasks takes some hundred turns.
constexpr int k_turns_max = 20'000;

const Error k_no_space{ErrorCode::environment, "no space left on device; free some and resume"};

}  // namespace

Status SimulatedLog::append(std::span<const Record> records) {
  mishaps_.may_crash(&Dials::crash_before_commit, Sometimes::crash_before_commit, "append");
  if (mishaps_.happens(&Dials::append_fails, Sometimes::append_failed)) return k_no_space;
  BERNSTEIN_TRY_VOID(log_.append(records));
  if (++appends_ > 1) mishaps_.recovered();
  mishaps_.may_crash(&Dials::crash_after_commit, Sometimes::crash_after_commit, "append");
  return Ok{};
}

Result<std::string> SimulatedBlobs::put(std::string_view bytes) {
  mishaps_.before_effect("put");
  if (mishaps_.happens(&Dials::blob_put_fails, Sometimes::blob_put_failed)) return k_no_space;
  Result<std::string> digest = blobs_.put(bytes);
  mishaps_.after_effect("put");
  return digest;
}

Status SimulatedOwnership::still_ours() const {
  if (!mishaps_.happens(&Dials::ownership_lost, Sometimes::ownership_lost)) return Ok{};
  return Error{ErrorCode::busy, "another Bernstein owns the workspace"};
}

Result<port::Reactor::Started> SimulatedReactor::start(port::ProcessSpec spec,
                                                       std::function<void(port::ProcessExit)> on_exit) {
  return reactor_.start(std::move(spec), std::move(on_exit));
}

Result<port::Reactor::Started> SimulatedReactor::start_supervised(port::ProcessSpec spec, port::SuperviseSpec supervise,
                                                                  std::function<void(port::ProcessExit)> on_exit) {
  mishaps_.before_effect("start_supervised");
  if (mishaps_.happens(&Dials::start_fails, Sometimes::start_failed)) {
    return Error{ErrorCode::environment, "cannot start " + spec.argv[0] + ": too many processes"};
  }
  if (!supervise.control_directory.ends_with(".1")) mishaps_.tally().hit(Sometimes::started_in_next_place);
  is_agent_[supervise.control_directory] = spec.env.contains("BERNSTEIN_ATTEMPT");
  Result<Started> started = reactor_.start_supervised(std::move(spec), std::move(supervise), std::move(on_exit));
  // The supervisor is there and nobody has said go.
  mishaps_.mid_effect("start_supervised");
  return started;
}

void SimulatedReactor::go(port::ProcessKey key) {
  mishaps_.mid_effect("go");
  reactor_.go(key);
  mishaps_.after_effect("go");
}

Result<port::Reactor::Adopted> SimulatedReactor::adopt(const std::string& directory,
                                                       std::function<void(port::ProcessExit)> on_exit) {
  mishaps_.before_effect("adopt");
  if (mishaps_.happens(&Dials::adopt_fails, Sometimes::adopt_failed)) {
    return Error{ErrorCode::environment, "cannot read " + directory};
  }
  Result<Adopted> adopted = reactor_.adopt(directory, std::move(on_exit));
  if (adopted) {
    const bool agent = is_agent_[directory];
    Tally& tally = mishaps_.tally();
    if (adopted->state == Adopted::State::running)
      tally.hit(agent ? Sometimes::adopted_running_agent : Sometimes::adopted_running_check);
    if (adopted->state == Adopted::State::finished && agent) tally.hit(Sometimes::adopted_finished_agent);
  }
  mishaps_.after_effect("adopt");
  return adopted;
}

void SimulatedReactor::submit(std::function<void()> work, std::function<void()> done) {
  reactor_.submit(
      [this, work = std::move(work)] {
        mishaps_.before_effect("work");
        work();
      },
      [this, done = std::move(done)] {
        mishaps_.after_effect("work");
        done();
      });
}

void SimulatedReactor::on_signal(std::function<void(int)> handler) {
  reactor_.on_signal(std::move(handler));
  begins_();
}

void SimulatedReactor::turn() {
  mishaps_.may_crash(&Dials::crash_while_waiting, Sometimes::crash_while_waiting, "turn");
  if (++turns_ > k_turns_max) throw Violation{"the run does not come to an end"};
  if (!reactor_.expects_something()) throw Violation{"the run waits for something that will not come"};
  reactor_.turn();
}

void SimulatedReactor::begin_life() {
  turns_ = 0;
  if (mishaps_.happens(&Dials::clock_jumps, Sometimes::clock_jumped))
    wall_offset_us_ = mishaps_.dice().between(-48 * k_hour, 48 * k_hour);
}

void disturb(test::FakeWorkspace& workspace, Mishaps& mishaps) {
  using Moment = test::FakeWorkspace::Moment;
  workspace.set_fault([&mishaps](std::string_view call) -> std::optional<Error> {
    mishaps.before_effect(call);
    if (mishaps.happens(&Dials::workspace_fails, Sometimes::workspace_failed)) return k_no_space;
    return std::nullopt;
  });
  workspace.set_witness([&mishaps](std::string_view call, Moment moment) -> std::optional<Error> {
    if (moment == Moment::halfway) {
      mishaps.mid_effect(call);
      return std::nullopt;
    }
    mishaps.after_effect(call);
    if (mishaps.happens(&Dials::workspace_fails_late, Sometimes::workspace_failed_late)) return k_no_space;
    return std::nullopt;
  });
}

}  // namespace bernstein::sim
