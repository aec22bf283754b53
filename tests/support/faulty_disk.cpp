#include "support/faulty_disk.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <set>
#include <string_view>
#include <utility>

#include "bernstein/base/check.hpp"

namespace bernstein::test {
namespace {

namespace fs = std::filesystem;
constexpr std::int64_t k_sector = 512;

FaultyDisk* g_disk = nullptr;  // SQLite gives its callbacks no room for more than one

// SQLite allocates szOsFile bytes: ours, and the file below right behind.
struct File {
  sqlite3_file base;
  FaultyDisk::Contents* content;  // null for a temporary file without a name
  std::string* path;
  bool is_new_journal;  // its first sync is one of its directory too, as in SQLite's unix VFS
};

File& ours(sqlite3_file* file) {
  return *reinterpret_cast<File*>(file);
}
sqlite3_file* below(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<File*>(file) + 1);
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string_view word_for(FaultyDisk::Call call) {
  switch (call) {
    case FaultyDisk::Call::open:
      return "open";
    case FaultyDisk::Call::write:
      return "write";
    case FaultyDisk::Call::truncate:
      return "truncate";
    case FaultyDisk::Call::sync:
      return "sync";
    case FaultyDisk::Call::remove:
      return "remove";
  }
  return "";
}

void put(std::string& image, std::int64_t offset, std::string_view bytes) {
  const auto at = static_cast<std::size_t>(offset);
  if (image.size() < at + bytes.size()) image.resize(at + bytes.size());
  image.replace(at, bytes.size(), bytes);
}

void apply(std::string& image, const FaultyDisk::Change& change) {
  if (change.is_truncation) {
    image.resize(static_cast<std::size_t>(change.offset));
  } else {
    put(image, change.offset, change.bytes);
  }
}

// Each sector of a write for itself.
void apply_torn(std::string& image, const FaultyDisk::Change& change, std::mt19937_64& random) {
  const std::int64_t end = change.offset + static_cast<std::int64_t>(change.bytes.size());
  for (std::int64_t at = change.offset; at < end;) {
    const std::int64_t next = std::min(end, (at / k_sector + 1) * k_sector);
    const std::string_view sector(change.bytes.data() + (at - change.offset), static_cast<std::size_t>(next - at));
    if (random() % 2 == 0) put(image, at, sector);
    at = next;
  }
}

std::string after_power_loss(const FaultyDisk::Content& content, std::mt19937_64& random) {
  std::string image = content.durable;
  const std::uint64_t lost_of_eight = random() % 9;  // from nothing to all
  for (const FaultyDisk::Change& change : content.since) {
    if (random() % 8 >= lost_of_eight) {
      apply(image, change);
    } else if (!change.is_truncation && random() % 4 == 0) {
      apply_torn(image, change, random);
    }
  }
  return image;
}

// Runs a call unless the disk says otherwise. `keep` notes what it changes.
template <class Work, class Keep>
int counted(FaultyDisk::Call call, sqlite3_file* file, int off_code, Work work, Keep keep) {
  File& our = ours(file);
  if (our.content == nullptr) return work();
  bool last = false;
  if (const int code = g_disk->begin(call, *our.path, last); code != SQLITE_OK)
    return code == SQLITE_IOERR ? off_code : code;
  const int code = work();
  if (code == SQLITE_OK) keep(**our.content);
  if (!last) return code;
  g_disk->power_goes();
  return off_code;
}

int file_close(sqlite3_file* file) {
  const int code = below(file)->pMethods->xClose(below(file));
  delete ours(file).content;
  delete ours(file).path;
  return code;
}
int file_read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 offset) {
  if (ours(file).content != nullptr && g_disk->is_off()) return SQLITE_IOERR_READ;
  return below(file)->pMethods->xRead(below(file), bytes, size, offset);
}
int file_write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  return counted(
      FaultyDisk::Call::write, file, SQLITE_IOERR_WRITE,
      [&] { return below(file)->pMethods->xWrite(below(file), bytes, size, offset); },
      [&](FaultyDisk::Content& content) {
        const std::string_view written(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
        content.since.push_back({.offset = offset, .bytes = std::string(written)});
      });
}
int file_truncate(sqlite3_file* file, sqlite3_int64 size) {
  return counted(
      FaultyDisk::Call::truncate, file, SQLITE_IOERR_TRUNCATE,
      [&] { return below(file)->pMethods->xTruncate(below(file), size); },
      [&](FaultyDisk::Content& content) { content.since.push_back({.offset = size, .is_truncation = true}); });
}
int file_sync(sqlite3_file* file, int) {
  // The real disk is left in peace; what counts is what is noted.
  return counted(
      FaultyDisk::Call::sync, file, SQLITE_IOERR_FSYNC, [] { return SQLITE_OK; },
      [&](FaultyDisk::Content& content) {
        if (g_disk->is_off()) return;
        g_disk->sync(content);
        if (std::exchange(ours(file).is_new_journal, false)) g_disk->sync_directory();
      });
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return below(file)->pMethods->xFileSize(below(file), size);
}
int file_lock(sqlite3_file* file, int level) {
  return below(file)->pMethods->xLock(below(file), level);
}
int file_unlock(sqlite3_file* file, int level) {
  return below(file)->pMethods->xUnlock(below(file), level);
}
int file_check_reserved(sqlite3_file* file, int* reserved) {
  return below(file)->pMethods->xCheckReservedLock(below(file), reserved);
}
int file_control(sqlite3_file* file, int operation, void* argument) {
  return below(file)->pMethods->xFileControl(below(file), operation, argument);
}
int file_sector_size(sqlite3_file*) {
  return k_sector;
}
int file_traits(sqlite3_file* file) {
  return below(file)->pMethods->xDeviceCharacteristics(below(file));
}
int file_shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
  return below(file)->pMethods->xShmMap(below(file), page, size, extend, memory);
}
int file_shm_lock(sqlite3_file* file, int offset, int n, int flags) {
  return below(file)->pMethods->xShmLock(below(file), offset, n, flags);
}
void file_shm_barrier(sqlite3_file* file) {
  below(file)->pMethods->xShmBarrier(below(file));
}
int file_shm_unmap(sqlite3_file* file, int remove) {
  return below(file)->pMethods->xShmUnmap(below(file), remove);
}

constexpr sqlite3_io_methods k_methods = {
    2,           file_close,   file_read,     file_write,          file_truncate,  file_sync,
    file_size,   file_lock,    file_unlock,   file_check_reserved, file_control,   file_sector_size,
    file_traits, file_shm_map, file_shm_lock, file_shm_barrier,    file_shm_unmap, nullptr,
    nullptr};

int disk_open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* flags_out) {
  File& our = ours(file);
  our = {};
  const bool is_kept = path != nullptr && (flags & SQLITE_OPEN_DELETEONCLOSE) == 0;
  bool last = false;
  if (is_kept) {
    if (const int code = g_disk->begin(FaultyDisk::Call::open, path, last); code != SQLITE_OK)
      return code == SQLITE_IOERR ? SQLITE_CANTOPEN : code;
  }
  const int code = g_disk->below()->xOpen(g_disk->below(), path, below(file), flags, flags_out);
  if (code != SQLITE_OK) return code;
  our.base.pMethods = &k_methods;
  if (is_kept) {
    our.content = new FaultyDisk::Contents(g_disk->opened(path));
    our.path = new std::string(path);
    our.is_new_journal =
        (flags & SQLITE_OPEN_CREATE) != 0 && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
  }
  if (last) g_disk->power_goes();
  return SQLITE_OK;
}

int disk_delete(sqlite3_vfs*, const char* path, int sync_directory) {
  bool last = false;
  if (const int code = g_disk->begin(FaultyDisk::Call::remove, path, last); code != SQLITE_OK)
    return code == SQLITE_IOERR ? SQLITE_IOERR_DELETE : code;
  const int code = g_disk->below()->xDelete(g_disk->below(), path, 0);
  if (code == SQLITE_OK) g_disk->removed(path);
  if (last) {
    g_disk->power_goes();
    return SQLITE_IOERR_DELETE;
  }
  if (code == SQLITE_OK && sync_directory != 0) g_disk->sync_directory();
  return code;
}

}  // namespace

FaultyDisk::FaultyDisk(Syncs syncs) : below_(sqlite3_vfs_find(nullptr)), syncs_(syncs) {
  BERNSTEIN_CHECK(g_disk == nullptr, "one faulty disk at a time");
  g_disk = this;
  vfs_ = std::make_unique<sqlite3_vfs>(*below_);
  vfs_->zName = "faulty-disk";
  vfs_->pNext = nullptr;
  vfs_->szOsFile = static_cast<int>(sizeof(File)) + below_->szOsFile;
  vfs_->xOpen = disk_open;
  vfs_->xDelete = disk_delete;
  sqlite3_vfs_register(vfs_.get(), 1);
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(vfs_.get());
  sqlite3_vfs_register(below_, 1);
  g_disk = nullptr;
}

void FaultyDisk::power_on(std::mt19937_64& random) {
  std::set<std::string> paths;
  for (const auto& [path, content] : names_) paths.insert(path);
  for (const auto& [path, content] : durable_names_) paths.insert(path);
  std::map<std::string, Contents> left;
  for (const std::string& path : paths) {
    const auto now = names_.find(path);
    const auto before = durable_names_.find(path);
    const Contents new_name = now == names_.end() ? nullptr : now->second;
    const Contents old_name = before == durable_names_.end() ? nullptr : before->second;
    if (const Contents& kept = random() % 2 == 0 ? new_name : old_name) left[path] = kept;
  }
  for (const std::string& path : paths) {
    const auto found = left.find(path);
    if (found == left.end()) {
      fs::remove(path);
      continue;
    }
    Content& content = *found->second;
    content = {.durable = after_power_loss(content, random), .since = {}};
    // In place: the file keeps its identity and mode.
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content.durable;
  }
  names_ = durable_names_ = std::move(left);
  is_off_ = false;
  power_left_ = 0;
}

void FaultyDisk::fail_at(std::int64_t n, int code, Lasting lasting) {
  fault_left_ = n;
  fault_code_ = code;
  fault_lasting_ = lasting;
  failed_ = 0;
  failed_call_.clear();
}

void FaultyDisk::heal() {
  fault_left_ = 0;
  failed_ = 0;
}

int FaultyDisk::begin(Call call, const std::string& path, bool& last) {
  last = false;
  if (is_off_) return SQLITE_IOERR;
  ++calls_;
  if (power_left_ > 0 && --power_left_ == 0) {
    last = true;
    // A sync that the power ends has promised nothing.
    if (call == Call::sync) is_off_ = true;
  }
  if (call == Call::sync && std::exchange(next_sync_fails_, false)) return SQLITE_IOERR;
  const bool hits = fault_left_ > 0 && --fault_left_ == 0;
  const bool hits_again = failed_ > 0 && fault_lasting_ == Lasting::for_ever && call == fault_call_;
  if (!hits && !hits_again) return SQLITE_OK;
  if (failed_++ == 0) {
    fault_call_ = call;
    failed_call_ = std::string(word_for(call)) + " of " + path;
  }
  return fault_code_;
}

FaultyDisk::Contents FaultyDisk::opened(const std::string& path) {
  Contents& content = names_[path];
  if (!content) content = std::make_shared<Content>(Content{.durable = bytes_of(path), .since = {}});
  return content;
}

void FaultyDisk::sync(Content& content) {
  if (syncs_ == Syncs::are_lies) return;
  for (const Change& change : content.since) apply(content.durable, change);
  content.since.clear();
}

void FaultyDisk::sync_directory() {
  if (syncs_ == Syncs::are_kept) durable_names_ = names_;
}

}  // namespace bernstein::test
