#pragma once
// A directory with a reactor whose processes are supervised. At the end of each test nobody who was started in it is
// left: every descendant carries the mark of its place in its environment, whatever it made of its session.

#include <gtest/gtest.h>
#include <signal.h>

#include <cctype>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bernstein/port/reactor.hpp"
#include "bernstein/proc/reactor.hpp"
#include "support/temp_directory.hpp"

namespace bernstein::exec {

using State = port::Reactor::Adopted::State;

// Alive and no zombie.
inline bool is_alive(std::int64_t pid) {
  const std::string stat = test::read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && stat.size() > name_end + 2 && stat[name_end + 2] != 'Z';
}

class Place : public ::testing::Test {
 protected:
  static constexpr Micros k_patience_us = 30 * k_second;

  void TearDown() override {
    std::vector<std::int64_t> left = marked();
    EXPECT_TRUE(left.empty()) << left.size() << " processes are left";
    for (const std::int64_t pid : left) ::kill(static_cast<pid_t>(pid), SIGKILL);
  }

  std::string path(const std::string& name) const { return (directory.path() / name).string(); }
  std::string output() const { return test::read_file(path("output.log")); }
  bool exists(const std::string& name) const { return std::filesystem::exists(path(name)); }

  port::ProcessSpec shell(const std::string& script) const {
    return {.argv = {"/bin/sh", "-c", script},
            .env = {{"PATH", "/usr/bin:/bin"}, {"MARK", directory.path().string()}},
            .directory = directory.path().string(),
            .stdin_text = {},
            .output_path = path("output.log")};
  }
  port::SuperviseSpec in(const std::string& control) const {
    return {.control_directory = path(control), .lock_path = {}};
  }

  port::Reactor& reactor() {
    if (reactor_ == nullptr) reactor_ = proc::open_reactor({.supervisor = BERNSTEIN_EXEC});
    return *reactor_;
  }
  // What the end of this program would do to it, but for the other effects of that.
  void drop_reactor() { reactor_.reset(); }

  // Turns until it is so.
  void await(const std::function<bool()>& condition) {
    const Micros start = reactor().monotonic_us();
    while (!condition()) {
      ASSERT_LT(reactor().monotonic_us() - start, k_patience_us) << "it does not come";
      reactor().after(1'000, [] {});
      reactor().turn();
    }
  }
  void await_file(const std::string& name) {
    await([&] { return exists(name); });
  }
  void let_pass(Micros duration) {
    bool passed = false;
    reactor().after(duration, [&] { passed = true; });
    while (!passed) reactor().turn();
  }

  port::Reactor::Started start(port::ProcessSpec spec, port::SuperviseSpec supervise) {
    exit.reset();
    const auto started = reactor().start_supervised(std::move(spec), std::move(supervise),
                                                    [this](port::ProcessExit result) { exit = std::move(result); });
    EXPECT_TRUE(started) << started.error().message;
    return started ? *started : port::Reactor::Started{};
  }
  port::Reactor::Adopted adopt(const std::string& control) {
    exit.reset();
    const auto adopted = reactor().adopt(path(control), [this](port::ProcessExit result) { exit = std::move(result); });
    EXPECT_TRUE(adopted) << adopted.error().message;
    return adopted ? *adopted : port::Reactor::Adopted{};
  }
  port::ProcessExit await_exit() {
    await([this] { return exit.has_value(); });
    return exit.value_or(port::ProcessExit{});
  }
  port::ProcessExit run(port::ProcessSpec spec, port::SuperviseSpec supervise) {
    reactor().go(start(std::move(spec), std::move(supervise)).key);
    return await_exit();
  }

  // Living processes with the mark of this place.
  std::vector<std::int64_t> marked() const {
    const std::string mark = "MARK=" + directory.path().string();
    std::vector<std::int64_t> pids;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (std::isdigit(static_cast<unsigned char>(name[0])) == 0) continue;
      const std::string environment = test::read_file(entry.path() / "environ");
      if (environment.find(mark) != std::string::npos && is_alive(std::stoll(name))) pids.push_back(std::stoll(name));
    }
    return pids;
  }

  test::TempDirectory directory;
  std::optional<port::ProcessExit> exit;

 private:
  std::unique_ptr<port::Reactor> reactor_;
};

}  // namespace bernstein::exec
