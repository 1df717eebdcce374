# sh -c '(this)' watchdog <folder> <command of the server...>
#
# Becomes the server, and leaves a watchdog behind that waits for the test process. Standard input is a pipe of which only
# the test process has the other end. A line from it means that the server has been stopped in good order. Its end without
# one means that the test process is gone, be it killed: the server and its folder must go too.

folder=$1
shift
exec 3<&0 </dev/null

# In the background of the background: PostgreSQL is not to find a child that it has not made.
(
    (
        read -r word <&3 && exit
        # Immediate shutdown; the server takes its own processes along and removes this file at the end.
        kill -QUIT $$
        tries=0
        while [ -e "$folder/data/postmaster.pid" ] && kill -0 $$ && [ $tries -lt 200 ]; do
            sleep 0.05
            tries=$((tries + 1))
        done
        kill -KILL $$
        rm -rf -- "$folder"
    ) &
)

exec 3<&-
exec "$@"
