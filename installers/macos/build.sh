#!/bin/sh
# Makes, signs and notarises the package, on a Mac: build.sh TREE OUT VERSION ARCH, where TREE is what
# `python build/packages --program … pkg` laid out. Without SIGN_APPLICATION nothing is signed, and that is said.
#
# SIGN_APPLICATION   "Developer ID Application: …", a certificate in the keychain
# SIGN_INSTALLER     "Developer ID Installer: …"
# SIGN_NOTARY        a profile of `notarytool store-credentials`
set -eu
tree=$1 out=$2 version=$3 arch=$4
here=$(cd "$(dirname "$0")" && pwd)
program="$tree/agent/root/Library/Application Support/Drawbridge/program"
if [ -n "${SIGN_APPLICATION:-}" ]; then
    # from the inside out: libraries first, the program last
    find "$program/lib" -type f \( -name "*.dylib" -o -name "*.so" -o -perm -u+x \) -print0 |
        xargs -0 codesign --force --timestamp --options runtime --sign "$SIGN_APPLICATION"
    codesign --force --timestamp --options runtime --entitlements "$here/entitlements.plist" \
        --identifier com.drawbridge.agent --sign "$SIGN_APPLICATION" "$program/drawbridge"
    codesign --verify --strict --verbose=2 "$program/drawbridge"
else
    echo "build: nothing is signed: SIGN_APPLICATION names no certificate" >&2
fi
parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT
pkgbuild --root "$tree/agent/root" --scripts "$tree/agent/scripts" --identifier com.drawbridge.agent \
    --version "$version" --ownership recommended --install-location / "$parts/agent.pkg"
pkgbuild --root "$tree/command/root" --identifier com.drawbridge.command --version "$version" \
    --ownership recommended --install-location / "$parts/command.pkg"
package="$out/drawbridge-$version-$arch.pkg"
productbuild --distribution "$tree/Distribution" --package-path "$parts" \
    ${SIGN_INSTALLER:+--sign "$SIGN_INSTALLER" --timestamp} "$package"
if [ -n "${SIGN_NOTARY:-}" ]; then
    xcrun notarytool submit "$package" --keychain-profile "$SIGN_NOTARY" --wait
    xcrun stapler staple "$package"
fi
