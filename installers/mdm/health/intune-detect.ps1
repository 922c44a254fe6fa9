# Intune, remediation, detection script (run as SYSTEM, 64-bit): exit status 1 asks for the remediation.
# The last line that is written is what the portal shows.
$program = Join-Path $env:ProgramFiles 'Drawbridge\drawbridge.exe'
if (-not (Test-Path -LiteralPath $program)) {
    Write-Output 'not installed'
    exit 1
}
& $program status --json --exit-code | Out-Null
$code = $LASTEXITCODE
$words = @{ 0 = 'ok'; 1 = 'not running'; 10 = 'degraded'; 20 = 'off by policy'; 30 = 'not trusted'; 40 = 'stale policy' }
if ($words.ContainsKey($code)) { Write-Output $words[$code] } else { Write-Output "unknown ($code)" }
if ($code -in 0, 20) { exit 0 }
exit 1
