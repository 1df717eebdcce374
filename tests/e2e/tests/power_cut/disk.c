/* A disk that loses at a power cut what was not synced: loaded into the program with LD_PRELOAD.
 *
 * Below $POWER_CUT_DISK a sync of a file copies its content to $POWER_CUT_SHADOW/files, and a sync of a folder its list of
 * names to $POWER_CUT_SHADOW/folders. Both are named by inode and birth, since an inode that was freed is used again. After
 * the power cut the test makes the disk anew from there. With $POWER_CUT_DEAF nothing is copied: a disk that lies. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void must(int well, const char *what) {
    if (!well) {
        perror(what);
        abort();
    }
}

static char *text(const char *format, ...) {
    char *made = NULL;
    va_list arguments;
    va_start(arguments, format);
    must(vasprintf(&made, format, arguments) >= 0, "memory");
    va_end(arguments);
    return made;
}

/* Inode and birth. False when there is no such file. */
static int name_of(int folder, const char *path, int flags, char name[64], mode_t *mode) {
    struct statx found;
    if (statx(folder, path, flags | AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME | STATX_TYPE, &found) != 0)
        return 0;
    snprintf(name, 64, "%llu-%lld-%u", (unsigned long long)found.stx_ino, (long long)found.stx_btime.tv_sec,
             found.stx_btime.tv_nsec);
    *mode = found.stx_mode;
    return 1;
}

static void copy_file(int fd, const char *target) {
    char *own = text("/proc/self/fd/%d", fd);
    int from = open(own, O_RDONLY | O_CLOEXEC);
    int to = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    must(from >= 0 && to >= 0, target);
    static char buffer[1 << 16];
    ssize_t got;
    while ((got = read(from, buffer, sizeof buffer)) > 0)
        must(write(to, buffer, got) == got, target);
    must(got == 0, target);
    close(from);
    close(to);
    free(own);
}

static void copy_folder(int fd, const char *target) {
    char *own = text("/proc/self/fd/%d", fd);
    DIR *folder = opendir(own);
    FILE *list = fopen(target, "we");
    must(folder != NULL && list != NULL, target);
    struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        char name[64];
        mode_t mode;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (name_of(fd, entry->d_name, 0, name, &mode))
            fprintf(list, "%s %s\n", name, entry->d_name);
    }
    must(fclose(list) == 0, target);
    closedir(folder);
    free(own);
}

static int synced(int fd) {
    const char *disk = getenv("POWER_CUT_DISK"), *shadow = getenv("POWER_CUT_SHADOW");
    char path[PATH_MAX], name[64];
    mode_t mode;
    if (disk == NULL || shadow == NULL || getenv("POWER_CUT_DEAF") != NULL)
        return 0;
    char *own = text("/proc/self/fd/%d", fd);
    ssize_t length = readlink(own, path, sizeof path - 1);
    free(own);
    if (length < 0 || !name_of(fd, "", AT_EMPTY_PATH, name, &mode))
        return -1;
    path[length] = 0;
    if (strncmp(path, disk, strlen(disk)) != 0)
        return 0;
    must(pthread_mutex_lock(&turn) == 0, "a lock");
    char *target = text("%s/%s/%s", shadow, S_ISDIR(mode) ? "folders" : "files", name);
    char *fresh = text("%s.new", target);
    if (S_ISDIR(mode))
        copy_folder(fd, fresh);
    else
        copy_file(fd, fresh);
    must(rename(fresh, target) == 0, target);
    free(fresh);
    free(target);
    pthread_mutex_unlock(&turn);
    return 0;
}

int fsync(int fd) { return synced(fd); }

int fdatasync(int fd) { return synced(fd); }
