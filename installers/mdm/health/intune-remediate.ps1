# Intune, remediation: starts the service again and tells what came of it. What a new start cannot mend (a certificate
# that is not trusted, a stale policy) is told, not hidden: exit status 1.
$program = Join-Path $env:ProgramFiles 'Drawbridge\drawbridge.exe'
$service = Get-Service -Name 'Drawbridge' -ErrorAction SilentlyContinue
if ($null -eq $service -or -not (Test-Path -LiteralPath $program)) {
    Write-Output 'not installed: assign the package'
    exit 1
}
Restart-Service -Name 'Drawbridge' -Force
for ($try = 0; $try -lt 30; $try++) {
    Start-Sleep -Seconds 2
    & $program status --json --exit-code | Out-Null
    if ($LASTEXITCODE -in 0, 20) {
        Write-Output 'ok after a new start'
        exit 0
    }
}
Write-Output "still not well: status ends with $LASTEXITCODE"
exit 1
