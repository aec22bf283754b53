#pragma once
// FaultyDisk: a disk under SQLite that loses power, fills up and breaks, when a test says so.
//
//     FaultyDisk disk;                                    // from now on SQLite's default VFS, until it goes out of
//     scope disk.lose_power_at(n);                              // with the n-th call from now on
//     ... open_log, append: every call after that fails ...
//     disk.power_on(random);                              // what a disk may hold then; open again and look
//
//     disk.fail_at(n, SQLITE_FULL, FaultyDisk::Lasting::once);
//
// Files are real ones, written through the VFS that was there before; this one remembers beside them what is durable:
// the bytes of each file at its last sync, and the names of a directory at the last time it was synced. Power loss
// keeps a random subset of what came after: writes are kept, lost or torn at sectors of 512 bytes, each for itself;
// files that were made may be gone, files that were removed be back. Shared memory (-shm) is no file to SQLite, and not
// one here. Files that come from elsewhere (a copy, create_file) hold what they hold when SQLite first opens them;
// their names are not durable until their directory is synced.
//
// Calls are counted: opens, writes, truncates, syncs and deletes; not reads. One disk at a time, for one thread.

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace bernstein::test {

class FaultyDisk {
 public:
  enum class Lasting { once, for_ever };
  enum class Syncs { are_kept, are_lies };  // lies: what fsync promises is not so, as with a drive that has a cache

  explicit FaultyDisk(Syncs syncs = Syncs::are_kept);
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  // The n-th call from now on, from 1, is the last one: a write of it may reach the disk, nothing after it does.
  void lose_power_at(std::int64_t n) { power_left_ = n; }
  void lose_power() { is_off_ = true; }
  bool is_off() const { return is_off_; }
  // Makes the files what the disk holds, and lets calls through again. All connections must be gone.
  void power_on(std::mt19937_64& random);

  // The n-th call from now on fails with an SQLite result code, and, lasting, all of its kind after it.
  void fail_at(std::int64_t n, int code, Lasting lasting);
  void fail_next_sync() { next_sync_fails_ = true; }
  void heal();
  bool has_failed() const { return failed_ > 0; }
  const std::string& failed_call() const { return failed_call_; }  // the first that did: "write of ...-wal"

  std::int64_t calls() const { return calls_; }

  // ---- For the VFS in faulty_disk.cpp ----
  enum class Call { open, write, truncate, sync, remove };

  struct Change {
    std::int64_t offset = 0;  // of a write; of a truncation, the new size
    std::string bytes;
    bool is_truncation = false;
  };
  struct Content {
    std::string durable;
    std::vector<Change> since;  // in order
  };
  using Contents = std::shared_ptr<Content>;

  // What the call ends with; SQLITE_OK: it may take place. `last` is set when it is the one with which the power goes.
  int begin(Call call, const std::string& path, bool& last);
  Contents opened(const std::string& path);
  void removed(const std::string& path) { names_.erase(path); }
  void sync(Content& content);
  void sync_directory();
  void power_goes() { is_off_ = true; }
  sqlite3_vfs* below() const { return below_; }

 private:
  sqlite3_vfs* below_ = nullptr;
  std::unique_ptr<sqlite3_vfs> vfs_;
  Syncs syncs_;
  std::map<std::string, Contents> names_;          // as SQLite sees them
  std::map<std::string, Contents> durable_names_;  // as of the last sync of the directory

  bool is_off_ = false;
  std::int64_t calls_ = 0;
  std::int64_t power_left_ = 0;  // 0: no end in sight
  std::int64_t fault_left_ = 0;  // 0: none
  int fault_code_ = SQLITE_OK;
  Lasting fault_lasting_ = Lasting::once;
  Call fault_call_ = Call::open;
  bool next_sync_fails_ = false;
  std::int64_t failed_ = 0;
  std::string failed_call_;
};

}  // namespace bernstein::test
