#include "bernstein/proc/reactor.hpp"

#include <signal.h>
#include <uv.h>

#include <array>
#include <ctime>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bernstein/base/check.hpp"
#include "bernstein/failpoint/failpoint.hpp"
#include "child.hpp"
#include "control.hpp"
#include "directory_watch.hpp"
#include "strays.hpp"
#include "supervised.hpp"
#include "timers.hpp"

namespace bernstein::proc {
namespace {

uv_loop_t* init_loop(uv_loop_t* loop) {
  BERNSTEIN_CHECK(uv_loop_init(loop) == 0, "descriptors for the event loop are free");
  return loop;
}

// A job for the thread pool, freed after its `done` was noted.
struct Work {
  uv_work_t request{};
  std::function<void()> work;
  std::function<void()> done;
  std::function<void(Work*)> finished;
};

// Callbacks of libuv only note what became due; turn() calls the caller's callbacks after uv_run has returned. So they
// may start, stop and cancel whatever they like, and nothing of ours is on the stack below them.
class UvReactor final : public port::Reactor {
 public:
  explicit UvReactor(ReactorOptions options)
      : options_(std::move(options)), loop_(init_loop(&loop_storage_)), timers_(std::make_unique<TimerQueue>(loop_)) {}
  ~UvReactor() override;

  Result<Started> start(port::ProcessSpec spec, std::function<void(port::ProcessExit)> on_exit) override;
  void stop(port::ProcessKey key) override;
  Result<Started> start_supervised(port::ProcessSpec spec, port::SuperviseSpec supervise,
                                   std::function<void(port::ProcessExit)> on_exit) override;
  void go(port::ProcessKey key) override;
  void on_stall(port::ProcessKey key, std::function<void(Micros)> told) override;
  Result<Adopted> adopt(const std::string& control_directory, std::function<void(port::ProcessExit)> on_exit) override;
  Status end_unreachable(const std::string& prefix) override { return proc::end_unreachable(prefix); }
  void submit(std::function<void()> work, std::function<void()> done) override;
  port::TimerKey after(Micros delay_us, std::function<void()> fire) override;
  void cancel(port::TimerKey key) override;
  void on_signal(std::function<void(int)> handler) override;
  Status watch_directory(const std::string& path, std::function<void()> changed) override;
  void turn() override;
  Micros monotonic_us() override { return TimerQueue::now_us(); }
  Micros wall_us() override { return clock_us(CLOCK_REALTIME); }
  Micros utc_offset_us() override {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    return ::localtime_r(&now, &local) == nullptr ? 0 : local.tm_gmtoff * k_second;
  }

 private:
  struct Running {  // one of the two
    std::unique_ptr<Child> child;
    std::unique_ptr<Supervised> supervised;
    std::function<void(port::ProcessExit)> on_exit;
  };

  // Notes that the process has ended: its on_exit is called in a turn.
  std::function<void(port::ProcessExit)> ending_of(port::ProcessKey key);
  void note(std::function<bool()> call) { due_.push_back(std::move(call)); }
  bool is_anything_awaited() const;

  ReactorOptions options_;
  uv_loop_t loop_storage_{};
  uv_loop_t* loop_;
  std::unique_ptr<TimerQueue> timers_;
  std::map<port::ProcessKey, Running> running_;
  std::map<port::TimerKey, std::function<void()>> fires_;
  std::map<Work*, std::unique_ptr<Work>> works_;
  std::array<uv_signal_t*, 6> signals_{};  // freed in their close callbacks
  std::function<void(int)> signal_handler_;
  std::vector<std::unique_ptr<DirectoryWatch>> watches_;
  std::deque<std::function<bool()>> due_;  // each says whether it called anybody
  port::ProcessKey last_process_ = 0;
  bool turning_ = false;
};

std::function<void(port::ProcessExit)> UvReactor::ending_of(port::ProcessKey key) {
  return [this, key](port::ProcessExit exit) {
    note([this, key, exit = std::move(exit)] {
      const auto found = running_.find(key);
      const std::function<void(port::ProcessExit)> call = std::move(found->second.on_exit);
      running_.erase(found);
      call(exit);
      return true;
    });
  };
}

Result<port::Reactor::Started> UvReactor::start(port::ProcessSpec spec,
                                                std::function<void(port::ProcessExit)> on_exit) {
  const port::ProcessKey key = last_process_ + 1;
  BERNSTEIN_TRY(std::unique_ptr<Child> child, Child::start(loop_, *timers_, std::move(spec), ending_of(key)));
  last_process_ = key;
  const std::int64_t pid = child->pid();
  running_.emplace(key, Running{std::move(child), nullptr, std::move(on_exit)});
  return Started{key, pid};
}

void UvReactor::stop(port::ProcessKey key) {
  const auto found = running_.find(key);
  if (found == running_.end()) return;
  if (found->second.child) found->second.child->stop();
  if (found->second.supervised) found->second.supervised->stop();
}

Result<port::Reactor::Started> UvReactor::start_supervised(port::ProcessSpec spec, port::SuperviseSpec supervise,
                                                           std::function<void(port::ProcessExit)> on_exit) {
  const std::string& directory = supervise.control_directory;
  BERNSTEIN_CHECK(!directory.empty() && directory.front() == '/', "a control directory has an absolute path");
  BERNSTEIN_CHECK(supervise.orphan_limit_us > 0, "an orphan has some time");
  if (options_.supervisor.empty()) {
    return Error{ErrorCode::environment,
                 "cannot start '" + spec.argv.front() + "': there is no bernstein-exec beside bernstein; install both"};
  }
  const port::ProcessKey key = last_process_ + 1;
  const Order order{std::move(spec), std::move(supervise)};
  BERNSTEIN_TRY(std::unique_ptr<Supervised> supervised,
                Supervised::start(loop_, *timers_, options_.supervisor, order, ending_of(key)));
  last_process_ = key;
  const std::int64_t pid = supervised->pid();
  running_.emplace(key, Running{nullptr, std::move(supervised), std::move(on_exit)});
  return Started{key, pid};
}

void UvReactor::go(port::ProcessKey key) {
  if (const auto found = running_.find(key); found != running_.end() && found->second.supervised) {
    BERNSTEIN_FAILPOINT("proc.go.before_word");
    found->second.supervised->go();
    BERNSTEIN_FAILPOINT("proc.go.after_word");
  }
}

void UvReactor::on_stall(port::ProcessKey key, std::function<void(Micros)> told) {
  const auto found = running_.find(key);
  if (found == running_.end() || !found->second.supervised) return;
  found->second.supervised->on_stall(
      [this, told = std::move(told)](Micros silent_us) { note([told, silent_us] { return told(silent_us), true; }); });
}

Result<port::Reactor::Adopted> UvReactor::adopt(const std::string& control_directory,
                                                std::function<void(port::ProcessExit)> on_exit) {
  BERNSTEIN_FAILPOINT("proc.adopt.before_look");
  BERNSTEIN_TRY(const Adopted::State state, examine_control(control_directory));
  BERNSTEIN_FAILPOINT("proc.adopt.after_look");
  const port::ProcessKey key = last_process_ + 1;
  std::unique_ptr<Supervised> supervised;
  switch (state) {
    case Adopted::State::never_started:
    case Adopted::State::missing:
    case Adopted::State::lost:
      return Adopted{state};
    case Adopted::State::finished:
      ending_of(key)(read_exit(control_directory).value());
      break;
    case Adopted::State::running: {
      BERNSTEIN_TRY(supervised, Supervised::adopt(loop_, *timers_, control_directory, ending_of(key)));
      break;
    }
  }
  last_process_ = key;
  const std::int64_t pid = supervised ? supervised->pid() : 0;
  running_.emplace(key, Running{nullptr, std::move(supervised), std::move(on_exit)});
  return Adopted{state, key, pid};
}

void UvReactor::submit(std::function<void()> work, std::function<void()> done) {
  auto owned = std::make_unique<Work>();
  Work* job = owned.get();
  job->request.data = job;
  job->work = std::move(work);
  job->done = std::move(done);
  job->finished = [this](Work* finished) {
    note([call = std::move(finished->done)] { return call(), true; });
    works_.erase(finished);
  };
  works_.emplace(job, std::move(owned));
  const int queued = uv_queue_work(
      loop_, &job->request, [](uv_work_t* request) { static_cast<Work*>(request->data)->work(); },
      [](uv_work_t* request, int) {
        Work* finished = static_cast<Work*>(request->data);
        const auto tell = std::move(finished->finished);
        tell(finished);
      });
  BERNSTEIN_CHECK(queued == 0, "work can always be queued");
}

port::TimerKey UvReactor::after(Micros delay_us, std::function<void()> fire) {
  auto key = std::make_shared<port::TimerKey>(0);  // the timer cannot fire before it has its key
  *key = timers_->add(delay_us, [this, key] {
    note([this, timer = *key] {
      const auto found = fires_.find(timer);
      if (found == fires_.end()) return false;  // cancelled by a callback of the same turn
      const std::function<void()> call = std::move(found->second);
      fires_.erase(found);
      return call(), true;
    });
  });
  fires_.emplace(*key, std::move(fire));
  return *key;
}

void UvReactor::cancel(port::TimerKey key) {
  if (fires_.erase(key) > 0) timers_->cancel(key);
}

void UvReactor::on_signal(std::function<void(int)> handler) {
  signal_handler_ = std::move(handler);
  if (signals_[0] != nullptr) return;
  const std::array<int, 6> numbers{SIGINT, SIGHUP, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2};
  static_assert(numbers.size() == std::tuple_size_v<decltype(signals_)>);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    struct sigaction before {};
    const bool ignored = ::sigaction(numbers[i], nullptr, &before) == 0 && before.sa_handler == SIG_IGN;
    if (ignored && numbers[i] == SIGHUP) continue;  // nohup(1)
    signals_[i] = new uv_signal_t{};
    BERNSTEIN_CHECK(uv_signal_init(loop_, signals_[i]) == 0, "signals can be watched");
    signals_[i]->data = this;
    const int started = uv_signal_start(
        signals_[i],
        [](uv_signal_t* handle, int number) {
          auto* self = static_cast<UvReactor*>(handle->data);
          self->note([self, number] { return self->signal_handler_(number), true; });
        },
        numbers[i]);
    BERNSTEIN_CHECK(started == 0, "signals can be watched");
  }
}

Status UvReactor::watch_directory(const std::string& path, std::function<void()> changed) {
  BERNSTEIN_TRY(std::unique_ptr<DirectoryWatch> watch,
                DirectoryWatch::start(loop_, path, [this, changed = std::move(changed)] {
                  note([changed] { return changed(), true; });
                }));
  watches_.push_back(std::move(watch));
  return Ok{};
}

bool UvReactor::is_anything_awaited() const {
  return !due_.empty() || !running_.empty() || !fires_.empty() || !works_.empty() || !watches_.empty() ||
         signals_[0] != nullptr;
}

void UvReactor::turn() {
  BERNSTEIN_CHECK(!turning_, "turn() is not called by a callback");
  turning_ = true;
  for (bool called = false; !called;) {
    BERNSTEIN_CHECK(is_anything_awaited(), "turn() is called while a process, a timer, work or a signal is awaited");
    if (due_.empty()) uv_run(loop_, UV_RUN_ONCE);
    // What the callbacks make due waits for the next turn.
    std::deque<std::function<bool()>> now = std::exchange(due_, {});
    for (const std::function<bool()>& call : now) called = call() || called;
  }
  turning_ = false;
}

UvReactor::~UvReactor() {
  for (auto& [key, running] : running_) {
    if (running.child) running.child->kill();
  }
  for (auto& [job, owned] : works_) uv_cancel(reinterpret_cast<uv_req_t*>(&job->request));
  bool overdue = false;
  timers_->add(k_group_end_us_max, [&overdue] { overdue = true; });
  const auto is_leader_left = [this] {
    for (const auto& [key, running] : running_) {
      if (running.child && !running.child->has_leader_ended()) return true;
    }
    return false;
  };
  while (!works_.empty() || (is_leader_left() && !overdue)) uv_run(loop_, UV_RUN_ONCE);

  running_.clear();
  watches_.clear();
  timers_.reset();
  for (uv_signal_t* signal : signals_) {
    if (signal == nullptr) continue;
    uv_close(reinterpret_cast<uv_handle_t*>(signal),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_signal_t*>(handle); });
  }
  uv_run(loop_, UV_RUN_DEFAULT);  // the close callbacks
  BERNSTEIN_CHECK(uv_loop_close(loop_) == 0, "every handle is closed");
}

}  // namespace

std::unique_ptr<port::Reactor> open_reactor(ReactorOptions options) {
  ::signal(SIGPIPE, SIG_IGN);
  stop_inheritance();
  return std::make_unique<UvReactor>(std::move(options));
}

}  // namespace bernstein::proc
