# A client in few lines, which starts at once: bash small-client.bash FILE HOST PORT
# A name with "bad" in it fails at once, one with "leaves" after the header, and one with
# "twice" connects once more.
name=${1##*/}
[[ $name != *bad* ]] || exit 1
printf -v size %016x "$(/usr/bin/wc -c <"$1")"
exec 3<>"/dev/tcp/$2/$3" || exit 1
printf "$(printf '\\x%s' ${size:0:2} ${size:2:2} ${size:4:2} ${size:6:2} ${size:8:2} ${size:10:2} ${size:12:2} ${size:14:2})%s" "$name" >&3
[[ $name != *twice* ]] || exec 4<>"/dev/tcp/$2/$3"
[[ $name != *leaves* ]] || exit 1
IFS= read -r -N 8 reply <&3
[[ $reply == 'go ahead' ]] || exit 1
/bin/cat "$1" >&3
