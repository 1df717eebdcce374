# The package of a received message: an ASiC-E container, a zip with a signed list of digests. Sourced by fagsystem.sh.

readonly ASIC_E=application/vnd.etsi.asic-e+zip

# Every file of the container must have the digest that the signed manifest states, and the signature must fit the manifest.
check_asic() {
    local package=$1 content complaint
    content=$(mktemp --directory) || return
    complaint=$(complaint_about "$package" "$content")
    rm -rf "$content"
    [[ -z $complaint ]] && return
    echo "$package: $complaint" >&2
    return 1
}

# Says what is wrong with a package, or nothing.
complaint_about() {
    local package=$1 content=$2
    unzip -qq "$package" -d "$content" </dev/null >/dev/null 2>&1 || { echo 'the zip is damaged' && return; }
    [[ ! -e $content/mimetype || $(<"$content/mimetype") == "$ASIC_E" ]] || { echo 'this is no ASiC-E container' && return; }
    # -noverify: whose certificate it is, and whether to trust it, is for your own program to ask.
    openssl cms -verify -binary -noverify -inform DER -in "$content"/META-INF/signature*.p7s \
        -content "$content/META-INF/ASiCManifest.xml" -out /dev/null 2>/dev/null || { echo 'the signature does not fit' && return; }
    # By digest and not by name: unzip garbles æ, ø and å in zips that were not made on Unix.
    [[ $(digests_stated "$content/META-INF/ASiCManifest.xml") == "$(digests_found "$content")" ]] ||
        echo 'the files are not those that were signed'
}

digests_stated() {
    tr -d '\r\n' <"$1" | sed -E 's/<([A-Za-z0-9]+:)?DataObjectReference/\n&/g' |
        sed -nE 's/.*<([A-Za-z0-9]+:)?DigestValue>\s*([^<[:space:]]*)\s*<.*/\2/p' | sort
}

digests_found() {
    find "$1" -type f ! -path "$1/mimetype" ! -path "$1/META-INF/*" -print0 |
        while IFS= read -r -d '' file; do openssl dgst -sha256 -binary <"$file" | base64; done | sort
}
