# The REST API of an integrasjonspunkt, as a sending and receiving fagsystem needs it. Sourced by fagsystem.sh.

# Statuses of a message that is with the message service, or beyond.
readonly LEFT='SENDT MOTTATT LEVERT LEST FEIL ANNET'
# Seconds between the tries of a send; curl repeats the other calls by itself.
readonly PAUSES='1 2 4 8 16'

# The answer of the last call.
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
status=
exception=

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# once METHOD PATH [curl options]: one call. Sets status (000 without an answer) and exception; false unless it was answered 2xx.
# The answer goes into the file $answer; that of `into=FILE call …` into FILE when it is a good one.
once() {
    local method=$1 path=$2 target=${into:-$answer}
    shift 2
    # The password goes through a pipe: everybody on the machine can read the arguments of a program.
    status=$(curl --silent --show-error --request "$method" --config <(credentials) --user-agent 'eksempel-fagsystem/1.0 bash' \
        --connect-timeout 30 --globoff --output "$target" --write-out '%{http_code}' ${ca:+--cacert "$ca"} "$@" "$url$path") || status=000
    exception=
    [[ $status == 2* ]] && return 0
    [[ $target == "$answer" || ! -e $target ]] || mv "$target" "$answer"
    # The part that programs may look at; texts change. A proxy in between answers with something else than JSON.
    [[ $status != 000 ]] && exception=$(jq --raw-output '.exception // "" | split(".") | last // ""' "$answer" 2>/dev/null || true)
    return 1
}

# The same, repeated until it is answered. Every call made with it can be repeated without harm.
call() {
    once "$@" --retry 5 --retry-all-errors
}

credentials() {
    if [[ -n ${INTEGRASJONSPUNKT_USER:-} ]]; then
        local both="$INTEGRASJONSPUNKT_USER:${INTEGRASJONSPUNKT_PASSWORD:-}"
        both=${both//\\/\\\\}
        printf 'user = "%s"\n' "${both//\"/\\\"}"
    fi
}

# What the last call was answered, for people. Not every integrasjonspunkt gives a hint.
explain() {
    if [[ $status == 000 ]]; then
        echo "$1: no answer from $url"
    else
        echo "$1 was answered $status $exception"
        jq --raw-output '.message // empty, (.errors[]? | "  \(.field): \(.defaultMessage)"),
            (.description // empty | "  \(.)"), (.hint // empty | "  What to do: \(.)")' "$answer" 2>/dev/null || true
    fi
}

# The document type of an arkivmelding that the receiver takes in this process.
standard_for() {
    local receiver=$1 process=$2 level=$3
    call GET "/api/capabilities/$receiver?process=$process&securityLevel=$level" || fail "$(explain 'asking for capabilities')"
    jq --raw-output --exit-status --arg process "$process" '[.capabilities[] | select(.process == $process).documentTypes[]
        | select(.type == "arkivmelding").standard] | first // empty' "$answer" ||
        fail "$receiver takes no arkivmelding in the process $process"
}

# Creates a message whose id we chose. One that exists already is ours, from a try before this one.
create() {
    call POST /api/messages/out --header 'Content-Type: application/json' --data-binary "@$1" ||
        [[ $exception == MessageAlreadyExistsException ]]
}

upload() {
    local message_id=$1 file=$2 name title
    name=$(basename "$file")
    title=$(jq --null-input --raw-output --arg title "${name%.*}" '$title | @uri')
    call PUT "/api/messages/out/$message_id?title=$title" --upload-file "$file" \
        --header "Content-Type: $(mime_type "$name")" --header "Content-Disposition: $(disposition "$name")" && return
    # It is there already, from a try before this one.
    [[ $exception == DuplicateFilenameException || $exception == MessageAlreadyQueuedException ]] && return
    local refusal
    refusal=$(explain "uploading $file")
    has_left "$message_id" || fail "$refusal"
}

# Queues a message. It is not queued twice: after a lost answer we look first whether it has left.
send_message() {
    local message_id=$1 refusal pause
    for pause in $PAUSES ''; do
        once POST "/api/messages/out/$message_id" --header 'Content-Length: 0' && return
        refusal=$(explain sending)
        [[ $pause && $status =~ ^(000|429|5..)$ ]] && sleep "$pause"
        local answered=$status
        has_left "$message_id" && return
        if [[ ! $pause || ! $answered =~ ^(000|429|5..)$ ]]; then
            printf '%s\n' "$refusal" >&2
            return 1
        fi
    done
}

# Create, upload and send in one request; for files of up to 5 MiB each.
send_at_once() {
    local message_id=$1 sbd=$2 file name
    local -a parts=(--form "sbd=<$sbd;type=application/json")
    shift 2
    for file in "$@"; do
        name=$(basename "$file")
        # A part's name is its title; curl ends it at the first equals sign.
        name=${name%.*}
        parts+=(--form "${name//=/_}=@\"$(quoted "$file")\";type=$(mime_type "$file")")
    done
    call POST /api/messages/out/multipart "${parts[@]}" && return
    [[ $exception == MessageAlreadyExistsException ]] || fail "$(explain 'sending at once')"
    # It was created with its files, at once. Whether it was sent too we do not know.
    has_left "$message_id" || send_message "$message_id"
}

statuses() {
    call GET "/api/statuses?messageId=$1&size=100&sort=id" || fail "$(explain 'asking for statuses')"
}

has_left() {
    statuses "$1"
    jq --exit-status --arg left "$LEFT" 'any(.content[].status; IN($left | split(" ")[]))' "$answer" >/dev/null
}

mime_type() {
    case ${1,,} in
        *.pdf) echo application/pdf ;;
        *.xml) echo application/xml ;;
        *.txt) echo text/plain ;;
        *.html) echo text/html ;;
        *.png) echo image/png ;;
        *.jpg | *.jpeg) echo image/jpeg ;;
        *.docx) echo application/vnd.openxmlformats-officedocument.wordprocessingml.document ;;
        *.xlsx) echo application/vnd.openxmlformats-officedocument.spreadsheetml.sheet ;;
        *) echo application/octet-stream ;;
    esac
}

# Content-Disposition; names with other letters than ASCII once more in UTF-8 (RFC 5987).
disposition() {
    jq --null-input --raw-output --arg name "$1" '($name | gsub("[\"\\\\]"; "_") | gsub("[^ -~]"; "?")) as $plain
        | "attachment; filename=\"\($plain)\"" + if $plain == $name then "" else "; filename*=UTF-8'\'\''\($name | @uri)" end'
}

# For curl's --form, which understands backslashes inside of quotes.
quoted() {
    local text=${1//\\/\\\\}
    printf '%s' "${text//\"/\\\"}"
}

# sbd_of KIND STANDARD PROCESS MESSAGE-ID CONVERSATION-ID SENDER RECEIVER BODY: the envelope. Sender and receiver are lists with
# one identifier, as they stand in the envelope.
sbd_of() {
    jq --null-input --arg kind "$1" --arg standard "$2" --arg process "$3" --arg id "$4" --arg conversation "$5" \
        --argjson sender "$6" --argjson receiver "$7" --argjson body "$8" '{
            standardBusinessDocumentHeader: {
                headerVersion: "1.0",
                sender: $sender,
                receiver: $receiver,
                documentIdentification: {standard: $standard, type: $kind, typeVersion: "2.0", instanceIdentifier: $id},
                businessScope: {scope: [{type: "ConversationId", instanceIdentifier: $conversation, identifier: $process}]}
            },
            ($kind): $body
        }'
}

organisation() {
    jq --null-input --arg value "0192:$1" '[{identifier: {authority: "iso6523-actorid-upis", value: $value}}]'
}

new_id() {
    if [[ -r /proc/sys/kernel/random/uuid ]]; then cat /proc/sys/kernel/random/uuid; else uuidgen | tr '[:upper:]' '[:lower:]'; fi
}
