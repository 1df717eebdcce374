# Reads "new <process>" and "gone <process>". When nobody is left to write, those that are not gone are killed.
trap '' INT TERM HUP
running=' '
while read -r word process; do
    case $word in
        new) running="$running$process " ;;
        gone) running="${running%% "$process" *} ${running#* "$process" }" ;;
    esac
done
for process in $running; do
    kill -KILL "$process" 2>/dev/null
done
