#!/usr/bin/env bash
# A small fagsystem: sends and receives arkivmeldinger. Needs bash 4, curl 7.71, jq, unzip and openssl.
# The README one folder up tells how to run it and what the exit codes mean.
set -euo pipefail
# Names are UTF-8, wherever this runs.
export LC_ALL=C.UTF-8

readonly ADMINISTRASJON=urn:no:difi:profile:arkivmelding:administrasjon:ver1.0
readonly RESPONSE=urn:no:difi:profile:arkivmelding:response:ver1.0
readonly KVITTERING=urn:no:difi:arkivmelding:xsd::arkivmelding_kvittering
readonly EXIT_USAGE=2 EXIT_LOST=3 EXIT_UNDECIDED=4

url=${INTEGRASJONSPUNKT_URL:-http://127.0.0.1:9093}
ca=${INTEGRASJONSPUNKT_CA:-}
interval=5

here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=integrasjonspunkt.sh
source "$here/integrasjonspunkt.sh"
# shellcheck source=asic.sh
source "$here/asic.sh"

usage() {
    cat >&2 <<'USAGE'
usage: fagsystem.sh [--url URL] [--ca FILE] send --from NUMBER --to NUMBER [--process PROCESS] [--level 3|4]
           [--message-id UUID] [--multipart] [--patience SECONDS] [--interval SECONDS] arkivmelding.xml DOCUMENT...
       fagsystem.sh [--url URL] [--ca FILE] receive [--inbox FOLDER] [--wait SECONDS] [--max COUNT] [--interval SECONDS]
USAGE
    exit $EXIT_USAGE
}

send() {
    local from='' to='' process=$ADMINISTRASJON level=3 message_id='' multipart='' patience=600
    while [[ ${1:-} == --* ]]; do
        case $1 in
            --multipart) multipart=yes; shift; continue ;;
        esac
        [[ $# -ge 2 ]] || usage
        case $1 in
            --from) from=$2 ;;
            --to) to=$2 ;;
            --process) process=$2 ;;
            --level) level=$2 ;;
            --message-id) message_id=$2 ;;
            --patience) patience=$2 ;;
            --interval) interval=$2 ;;
            *) usage ;;
        esac
        shift 2
    done
    [[ $from && $to && $# -ge 2 ]] || usage
    [[ $(basename "$1") == arkivmelding.xml ]] || fail "$1: the file must be named arkivmelding.xml"
    local file
    for file in "$@"; do [[ -f $file ]] || fail "$file: no such file"; done
    [[ -z $(for file in "$@"; do basename "$file"; done | sort | uniq --repeated) ]] ||
        fail 'two files have the same name; every file of a message needs its own'

    # Chosen before the first call, so that a repeated call is seen to be one.
    message_id=${message_id:-$(new_id)}
    echo "messageId $message_id"
    local standard body sbd
    standard=$(standard_for "$to" "$process" "$level")
    body=$(jq --null-input --argjson level "$level" --arg document "$(basename "$2")" \
        '{sikkerhetsnivaa: $level, hoveddokument: $document}')
    sbd=$(mktemp)
    # shellcheck disable=SC2064
    trap "rm -f '$answer' '$sbd'" EXIT
    sbd_of "${standard##*::}" "$standard" "$process" "$message_id" "$(new_id)" \
        "$(organisation "$from")" "$(organisation "$to")" "$body" >"$sbd"
    if [[ $multipart ]]; then
        send_at_once "$message_id" "$sbd" "$@"
    else
        create "$sbd" || fail "$(explain creating)"
        for file in "$@"; do upload "$message_id" "$file"; done
        send_message "$message_id"
    fi
    follow "$message_id" "$patience"
}

# Prints statuses as they come; exits when the end is known.
follow() {
    local message_id=$1 patience=$2 seen=-1 last lines
    while true; do
        statuses "$message_id"
        lines=$(jq --raw-output --argjson seen "$seen" '.content[] | select(.id > $seen)
            | [.lastUpdate, .status, .description // empty] | join(" ")' "$answer")
        [[ $lines ]] && printf '%s\n' "$lines"
        seen=$(jq '[.content[].id] | max // -1' "$answer")
        # LEVERT is the end of what a sender must follow. LEST may come days later, when the receiver sends a kvittering.
        last=$(jq --raw-output '[.content[].status | select(IN("LEVERT", "LEST", "FEIL", "LEVETID_UTLOPT"))] | first // ""' "$answer")
        case $last in
            LEVERT | LEST) exit 0 ;;
            FEIL | LEVETID_UTLOPT) exit $EXIT_LOST ;;
        esac
        if ((SECONDS > patience)); then
            echo "not decided yet; go on later with --message-id $message_id" >&2
            exit $EXIT_UNDECIDED
        fi
        sleep "$interval"
    done
}

receive() {
    local inbox=inbox wait=0 max=-1 taken=0 well=yes sbd
    while [[ $# -gt 0 ]]; do
        [[ $# -ge 2 ]] || usage
        case $1 in
            --inbox) inbox=$2 ;;
            --wait) wait=$2 ;;
            --max) max=$2 ;;
            --interval) interval=$2 ;;
            *) usage ;;
        esac
        shift 2
    done
    mkdir -p "$inbox"
    send_kvitteringer "$inbox" || well=
    while ((taken != max)); do
        call GET /api/messages/in/peek || fail "$(explain peeking)"
        if [[ $status == 200 ]]; then
            taken=$((taken + 1))
            sbd=$(<"$answer")
            take "$inbox" "$sbd" || well=
            send_kvitteringer "$inbox" || well=
        elif ((taken || SECONDS >= wait)); then
            break
        else
            sleep "$interval"
        fi
    done
    [[ $well ]] || exit 1
}

# Stores a message safely, and only then takes it off the queue.
take() {
    local inbox=$1 sbd=$2 message_id kind folder
    message_id=$(jq --raw-output .standardBusinessDocumentHeader.documentIdentification.instanceIdentifier <<<"$sbd")
    # The id comes from outside, and becomes the name of a folder.
    [[ $message_id =~ ^[0-9A-Fa-f-]{36}$ ]] || fail "the messageId $message_id is not a UUID; the message stays on the queue"
    kind=$(jq --raw-output .standardBusinessDocumentHeader.documentIdentification.type <<<"$sbd")
    folder=$inbox/$message_id
    # Every step says what happens when it fails: nothing may be taken off the queue that is not on the disk.
    mkdir -p "$folder" || fail "$folder cannot be made"
    store "$folder/sbd.json" <<<"$sbd" || fail "$folder cannot be written to"
    if [[ $kind != *kvittering ]]; then
        into=$folder/asic.zip.part call GET "/api/messages/in/pop/$message_id" || fail "$(explain "popping $message_id")"
        if [[ $status == 200 ]]; then
            if ! check_asic "$folder/asic.zip.part"; then
                # Locked for some minutes. The others need not wait for it.
                echo "$message_id stays on the queue" >&2
                return 1
            fi
            { sync "$folder/asic.zip.part" && mv "$folder/asic.zip.part" "$folder/asic.zip"; } ||
                fail "$folder cannot be written to"
        fi
    fi
    # Last, because it is sent as soon as it is there.
    if [[ $kind == arkivmelding && ! -e $folder/kvittering.json ]]; then
        kvittering_for "$sbd" | store "$folder/kvittering.json" || fail "$folder cannot be written to"
    fi
    # A message that is gone was taken by a try before this one.
    call DELETE "/api/messages/in/$message_id" || [[ $exception == MessageNotFoundException ]] || fail "$(explain "taking $message_id")"
    echo "received $kind $message_id in $folder"
}

kvittering_for() {
    local sbd=$1 header body
    header=$(jq .standardBusinessDocumentHeader <<<"$sbd")
    body=$(jq '{receiptType: "OK", relatedToMessageId: .documentIdentification.instanceIdentifier, messages: []}' <<<"$header")
    sbd_of arkivmelding_kvittering $KVITTERING $RESPONSE "$(new_id)" \
        "$(jq --raw-output '.businessScope.scope[] | select(.type == "ConversationId").instanceIdentifier' <<<"$header")" \
        "$(jq .receiver <<<"$header")" "$(jq .sender <<<"$header")" "$body"
}

# Sends what has not been sent yet, that of an interrupted run included; false when one was refused.
send_kvitteringer() {
    local inbox=$1 kvittering message_id well=yes
    for kvittering in "$inbox"/*/kvittering.json; do
        [[ -e $kvittering && ! -e ${kvittering%.json}.sent ]] || continue
        message_id=$(jq --raw-output .standardBusinessDocumentHeader.documentIdentification.instanceIdentifier "$kvittering")
        if ! create "$kvittering"; then
            explain "creating the kvittering $message_id" >&2
            well=
        elif send_message "$message_id"; then
            touch "${kvittering%.json}.sent"
            echo "kvittering $message_id for $(basename "$(dirname "$kvittering")")"
        else
            well=
        fi
    done
    [[ $well ]]
}

# Writes a file so that it is either whole or not there.
store() {
    cat >"$1.part" && sync "$1.part" && mv "$1.part" "$1" && sync "$(dirname "$1")"
}

while [[ ${1:-} == --* ]]; do
    [[ $# -ge 2 ]] || usage
    case $1 in
        --url) url=$2 ;;
        --ca) ca=$2 ;;
        *) usage ;;
    esac
    shift 2
done
url=${url%/}
case ${1:-} in
    send | receive) "$@" ;;
    *) usage ;;
esac
