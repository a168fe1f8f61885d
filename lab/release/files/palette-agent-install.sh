#!/usr/bin/env bash
# The lab's imitation of the vendor's script, with the faults that are known of that one:
# VERSION of the caller is ignored, an architecture without a program does not stop it, what is downloaded is neither
# checked nor asked for with --fail, and lies in the current directory.

case "$(uname -m)" in
    x86_64) ARCH=amd64 ;;
    aarch64 | arm64) ARCH=arm64 ;;
    *) echo "Unsupported architecture: $(uname -m)" ;;
esac

for tool in bash systemctl jq rsync zstd; do
    if ! command -v "$tool" > /dev/null; then
        echo "$tool is not installed. Please install $tool and try again."
        exit 1
    fi
done

VERSION="@VERSION@"
IMAGE="${IMAGE:-us-docker.pkg.dev/palette-images@FIPS@/edge/stylus-agent-mode-linux-$ARCH:$VERSION}"
URL="${URL:-@BASE@/$VERSION/palette-agent@FIPS@-linux-$ARCH}"

curl -s -L -o ./palette-agent "$URL"
chmod +x ./palette-agent
if [ -n "$USERDATA" ]; then
    ./palette-agent install --source "$IMAGE" --config "$USERDATA"
else
    ./palette-agent install --source "$IMAGE"
fi
